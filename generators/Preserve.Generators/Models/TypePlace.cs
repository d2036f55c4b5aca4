using System.Linq;

namespace Preserve.Generators;

/// <summary>Where a type stands. Names are plain, without the escapes that source code needs.</summary>
/// <param name="Namespace">Its namespace, or null for the global one.</param>
/// <param name="Containing">The types that it is nested in, from the outside in.</param>
/// <param name="Name">Its name.</param>
internal sealed record TypePlace(string? Namespace, EquatableArray<ContainingType> Containing, string Name)
{
    /// <summary>A name that no other type of the assembly has: <c>Space.Outer+Inner</c>.</summary>
    public string QualifiedName =>
        (Namespace is null ? "" : Namespace + ".") + string.Concat(Containing.Select(c => c.Name + "+")) + Name;
}

/// <summary>A type that another is nested in.</summary>
/// <param name="Keyword">What it is declared as.</param>
/// <param name="Name">Its name.</param>
internal sealed record ContainingType(string Keyword, string Name);
