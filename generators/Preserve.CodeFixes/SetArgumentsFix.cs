using System.Collections.Generic;
using System.Collections.Immutable;
using System.Composition;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;
using Microsoft.CodeAnalysis.Simplification;
using Preserve.Generators;

namespace Preserve.CodeFixes;

/// <summary>PRSV004, PRSV005, PRSV012, PRSV014, PRSV102, PRSV103, PRSV104: gives arguments of an attribute the values that the analyzer worked out: the nearest device,
/// the nearest degree, a context within the positions, a policy that asks for nothing that cannot be; and removes an option that does nothing.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SetArgumentsFix)), Shared]
public sealed class SetArgumentsFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.CreateRange(
    [
        Descriptors.UnknownDevice.Id, Descriptors.Degree.Id, Descriptors.Options.Id, Descriptors.BeyondTable.Id, Descriptors.BeyondPositions.Id, Descriptors.CannotPay.Id, Descriptors.NoPrefetch.Id,
    ]);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var diagnostic in context.Diagnostics)
        {
            var mends = Mend.ArgumentsOf(diagnostic.Properties);
            if (mends.Count == 0 || root?.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<AttributeSyntax>() is not { } attribute)
                continue;
            var action = CodeAction.Create(
                TitleOf(mends),
                _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(attribute, Mended(attribute, diagnostic, mends)))),
                nameof(SetArgumentsFix) + diagnostic.Id);
            context.RegisterCodeFix(action, diagnostic);
        }
    }

    /// <summary>What the first of the values does, which the others follow from; where none is given, all that is removed.</summary>
    private static string TitleOf(IReadOnlyList<(string Argument, string? Value)> mends) => mends[0] switch
    {
        (_, null) => $"Remove {string.Join(" and ", mends.Select(m => m.Argument))}",
        var (argument, value) when char.IsLower(argument[0]) => $"Change to {Short(value)}",
        var (argument, value) => $"Set {argument} = {Short(value)}",
    };

    private static string Short(string value) => value.StartsWith("global::Preserve.", System.StringComparison.Ordinal) ? value.Substring("global::Preserve.".Length) : value;

    private static AttributeSyntax Mended(AttributeSyntax attribute, Diagnostic diagnostic, IReadOnlyList<(string Argument, string? Value)> mends)
    {
        var list = attribute.ArgumentList ?? SyntaxFactory.AttributeArgumentList();
        var marked = list.Arguments.FirstOrDefault(a => a.Span.Contains(diagnostic.Location.SourceSpan));
        foreach (var (argument, value) in mends)
        {
            // A parameter may stand without its name; it is what the diagnostic marks.
            var at = char.IsLower(argument[0]) ? marked : list.Arguments.FirstOrDefault(a => a.NameEquals?.Name.Identifier.ValueText == argument);
            list = (at, value) switch
            {
                (null, null) => list,
                ({ } found, null) => Without(list, found),
                ({ } found, _) => list.ReplaceNode(found.Expression, ExpressionOf(value, found.Expression).WithTriviaFrom(found.Expression)),
                _ => list.AddArguments(SyntaxFactory.AttributeArgument(SyntaxFactory.NameEquals(argument), null, ExpressionOf(value, null)).WithAdditionalAnnotations(Formatter.Annotation)),
            };
        }
        return attribute.WithArgumentList(list);
    }

    /// <summary>The list without an argument. A comment stays, whichever argument it is of: those before the next one stand behind a comma that goes too.</summary>
    private static AttributeArgumentListSyntax Without(AttributeArgumentListSyntax list, AttributeArgumentSyntax argument)
    {
        var without = list.WithArguments(list.Arguments.Remove(argument));
        return Comments(without) == Comments(list) ? without : list.RemoveNode(argument, SyntaxRemoveOptions.KeepExteriorTrivia)!;
    }

    private static int Comments(AttributeArgumentListSyntax list) =>
        list.DescendantTrivia().Count(t => !t.IsKind(SyntaxKind.WhitespaceTrivia) && !t.IsKind(SyntaxKind.EndOfLineTrivia));

    /// <summary>The value, its name as short as the file allows, its digits grouped where those before were.</summary>
    private static ExpressionSyntax ExpressionOf(string value, ExpressionSyntax? before)
    {
        var text = before is not null && before.ToString().Contains("_") && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '_')
            : value;
        return SyntaxFactory.ParseExpression(text).WithAdditionalAnnotations(Simplifier.Annotation);
    }
}
