using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Preserve.Generators;

namespace Preserve.CodeFixes;

/// <summary>PRSV001, PRSV002: makes a deployment, and the types that it is nested in, partial.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(MakePartialFix)), Shared]
public sealed class MakePartialFix : MendingFix
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(Descriptors.NotPartial.Id, Descriptors.CannotBeExtended.Id);

    private protected override string? TitleOf(SyntaxNode root, Diagnostic diagnostic) =>
        TypeOf(root, diagnostic) is { } type ? $"Make '{type.Identifier.ValueText}' partial" : null;

    private protected override SyntaxNode Mended(SyntaxNode root, ImmutableArray<Diagnostic> diagnostics)
    {
        var types = diagnostics.Select(d => TypeOf(root, d)).OfType<TypeDeclarationSyntax>()
            .SelectMany(d => d.AncestorsAndSelf().OfType<TypeDeclarationSyntax>()).Distinct().Where(t => !t.Modifiers.Any(SyntaxKind.PartialKeyword));
        return root.ReplaceNodes(types, (_, at) => AddPartial(at));
    }

    /// <summary>The type that becomes partial, or null where that mends nothing.</summary>
    private static TypeDeclarationSyntax? TypeOf(SyntaxNode root, Diagnostic diagnostic) =>
        Mend.IsByPartial(diagnostic.Properties) ? root.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<TypeDeclarationSyntax>() : null;

    /// <summary>The modifier stands right before the type's keyword, by the rules of the language, and takes over what stood before that.</summary>
    private static TypeDeclarationSyntax AddPartial(TypeDeclarationSyntax type)
    {
        var partial = SyntaxFactory.Token(type.Keyword.LeadingTrivia, SyntaxKind.PartialKeyword, SyntaxFactory.TriviaList(SyntaxFactory.Space));
        return type.WithKeyword(type.Keyword.WithLeadingTrivia()).AddModifiers(partial);
    }
}
