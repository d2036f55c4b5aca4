using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Preserve.Generators;

/// <summary>Finds the library's own types among symbols.</summary>
internal static class SymbolQueries
{
    /// <summary>The attributes of one of the library's types, in source order.</summary>
    public static IEnumerable<AttributeData> AttributesOf<T>(this INamedTypeSymbol type) =>
        type.GetAttributes().Where(a => a.AttributeClass is { } attribute && attribute.Is<T>());

    public static bool Carries<T>(this INamedTypeSymbol type) => type.AttributesOf<T>().Any();

    /// <summary>The name of a deployment on the part that is declared one: other parts may stand in any file, one of them is generated.</summary>
    public static Location? DeclaredName(this INamedTypeSymbol type) =>
        type.AttributesOf<DeploymentAttribute>().FirstOrDefault()?.ApplicationSyntaxReference?.GetSyntax().FirstAncestorOrSelf<TypeDeclarationSyntax>()?.Identifier.GetLocation();

    /// <summary>The first attribute that stands on another part of a partial type than the first of them, or null. Between the parts there is no
    /// order that the language defines.</summary>
    public static AttributeData? OnAnotherPart(IEnumerable<AttributeData> attributes)
    {
        SyntaxNode? first = null;
        foreach (var attribute in attributes)
        {
            if (attribute.ApplicationSyntaxReference?.GetSyntax().FirstAncestorOrSelf<BaseTypeDeclarationSyntax>() is not { } part)
                continue;
            first ??= part;
            if (part != first)
                return attribute;
        }
        return null;
    }

    /// <summary>Whether the symbol is the library's type, in whatever assembly it was found.</summary>
    public static bool Is<T>(this INamedTypeSymbol type) =>
        type.Name == typeof(T).Name && type is
        {
            Arity: 0,
            ContainingType: null,
            ContainingNamespace: { Name: nameof(Preserve), ContainingNamespace.IsGlobalNamespace: true },
        };
}
