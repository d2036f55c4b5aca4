using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Generators;

/// <summary>Names of emitted files. They follow the type's qualified name; the compiler takes names that differ only in case
/// for the same, so those are numbered.</summary>
internal static class HintNames
{
    /// <summary>The names that are not unique, in ordinal order: nearly always none.</summary>
    public static EquatableArray<string> Clashes(IEnumerable<string> qualifiedNames) => qualifiedNames
        .GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1)
        .SelectMany(g => g).OrderBy(n => n, StringComparer.Ordinal).ToArray();

    public static string Of(string qualifiedName, EquatableArray<string> clashes)
    {
        var number = clashes.Contains(qualifiedName)
            ? "-" + (clashes.TakeWhile(n => n != qualifiedName).Count() + 1)
            : "";
        return qualifiedName + number + ".g.cs";
    }
}
