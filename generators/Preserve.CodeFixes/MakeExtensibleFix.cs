using System.Collections.Generic;
using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Simplification;
using Preserve.Generators;

namespace Preserve.CodeFixes;

/// <summary>PRSV001, PRSV002: makes a deployment, and the types that it is nested in, partial, and derives it from <see cref="Deployment"/>.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(MakeExtensibleFix)), Shared]
public sealed class MakeExtensibleFix : MendingFix
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(Descriptors.NotPartial.Id, Descriptors.CannotBeExtended.Id);

    private protected override string? TitleOf(SyntaxNode root, Diagnostic diagnostic) => (TypeOf(root, diagnostic), diagnostic.Properties) switch
    {
        ({ } type, var mend) when Mend.IsByPartial(mend) => $"Make '{type.Identifier.ValueText}' partial",
        ({ } type, var mend) when Mend.IsByBase(mend) => $"Derive '{type.Identifier.ValueText}' from {nameof(Deployment)}",
        _ => null,
    };

    private protected override SyntaxNode Mended(SyntaxNode root, ImmutableArray<Diagnostic> diagnostics)
    {
        var partial = TypesOf(Mend.IsByPartial).SelectMany(t => t.AncestorsAndSelf().OfType<TypeDeclarationSyntax>()).Where(t => !t.Modifiers.Any(SyntaxKind.PartialKeyword)).ToImmutableHashSet();
        var derived = TypesOf(Mend.IsByBase).ToImmutableHashSet();
        return root.ReplaceNodes(partial.Union(derived), (type, mended) =>
        {
            if (partial.Contains(type))
                mended = AddPartial(mended);
            return derived.Contains(type) ? AddBase(mended) : mended;
        });

        IEnumerable<TypeDeclarationSyntax> TypesOf(System.Func<ImmutableDictionary<string, string?>, bool> isBy) =>
            diagnostics.Where(d => isBy(d.Properties)).Select(d => TypeOf(root, d)).OfType<TypeDeclarationSyntax>();
    }

    private static TypeDeclarationSyntax? TypeOf(SyntaxNode root, Diagnostic diagnostic) =>
        root.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<TypeDeclarationSyntax>();

    /// <summary>The modifier stands right before the type's keyword, by the rules of the language, and takes over what stood before that.</summary>
    private static TypeDeclarationSyntax AddPartial(TypeDeclarationSyntax type)
    {
        var partial = SyntaxFactory.Token(type.Keyword.LeadingTrivia, SyntaxKind.PartialKeyword, SyntaxFactory.TriviaList(SyntaxFactory.Space));
        return type.WithKeyword(type.Keyword.WithLeadingTrivia()).AddModifiers(partial);
    }

    /// <summary>A base class stands before all interfaces; where there are none, it takes over what stood behind the name and its parameters.</summary>
    private static TypeDeclarationSyntax AddBase(TypeDeclarationSyntax type)
    {
        var deployment = SyntaxFactory.SimpleBaseType(
            SyntaxFactory.ParseTypeName($"global::{nameof(Preserve)}.{nameof(Deployment)}").WithAdditionalAnnotations(Simplifier.Annotation));
        if (type.BaseList is { } interfaces)
            return (TypeDeclarationSyntax)type.WithBaseList(interfaces.WithTypes(interfaces.Types.Insert(0, deployment)));
        var last = type.ParameterList?.CloseParenToken ?? type.TypeParameterList?.GreaterThanToken ?? type.Identifier;
        var colon = SyntaxFactory.Token(SyntaxFactory.TriviaList(), SyntaxKind.ColonToken, SyntaxFactory.TriviaList(SyntaxFactory.Space));
        var bases = SyntaxFactory.BaseList(colon, SyntaxFactory.SingletonSeparatedList<BaseTypeSyntax>(deployment.WithTrailingTrivia(last.TrailingTrivia)));
        return (TypeDeclarationSyntax)type.ReplaceToken(last, last.WithTrailingTrivia(SyntaxFactory.Space)).WithBaseList(bases);
    }
}
