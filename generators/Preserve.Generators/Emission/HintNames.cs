using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Generators;

/// <summary>Names of emitted files. They follow the type's qualified name; the compiler takes names that differ only in case
/// for the same, so those are numbered.</summary>
/// <remarks>A class, as every value between the generator's steps: for each struct the compiler's tables are compiled anew
/// when it starts.</remarks>
/// <param name="Clashes">The qualified names that are not unique, in ordinal order: nearly always none.</param>
internal sealed record HintNames(EquatableArray<string> Clashes)
{
    public static HintNames Among(IEnumerable<string> qualifiedNames) => new(qualifiedNames
        .GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1)
        .SelectMany(g => g).OrderBy(n => n, StringComparer.Ordinal).ToArray());

    public string Of(string qualifiedName)
    {
        var number = Clashes.Contains(qualifiedName)
            ? "-" + (Clashes.TakeWhile(n => n != qualifiedName).Count() + 1)
            : "";
        return qualifiedName + number + ".g.cs";
    }
}
