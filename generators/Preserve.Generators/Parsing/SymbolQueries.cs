using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Finds the library's own types among symbols.</summary>
internal static class SymbolQueries
{
    /// <summary>The attributes of one of the library's types, in source order.</summary>
    public static IEnumerable<AttributeData> AttributesOf<T>(this INamedTypeSymbol type) =>
        type.GetAttributes().Where(a => a.AttributeClass is { } attribute && attribute.Is<T>());

    public static bool Carries<T>(this INamedTypeSymbol type) => type.AttributesOf<T>().Any();

    /// <summary>Whether the symbol is the library's type, in whatever assembly it was found.</summary>
    public static bool Is<T>(this INamedTypeSymbol type) =>
        type.Name == typeof(T).Name && type is
        {
            Arity: 0,
            ContainingType: null,
            ContainingNamespace: { Name: nameof(Preserve), ContainingNamespace.IsGlobalNamespace: true },
        };
}
