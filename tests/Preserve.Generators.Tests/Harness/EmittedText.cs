using Microsoft.CodeAnalysis.CSharp;

namespace Preserve.Generators.Tests;

/// <summary>Reads what an emitted file carries, as the compiler reads its literal.</summary>
internal static class EmittedText
{
    public static string TextOf(string source) => CSharpSyntaxTree.ParseText(source, TestCompilation.Language).GetRoot()
        .DescendantTokens().Single(t => t.ValueText.StartsWith("preserve plans", StringComparison.Ordinal)).ValueText;

    public static PlanSet PlansOf(string source) => PlanSet.Parse(TextOf(source));
}
