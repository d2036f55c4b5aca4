using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>How far two names are apart, to suggest the one that was meant.</summary>
public static class EditDistance
{
    /// <summary>A longer name is cut: a suggestion need not be exact, and its cost is bounded.</summary>
    private const int MaxLength = 64;

    /// <summary>A shorter beginning says too little.</summary>
    private const int LeastBeginning = 3;

    /// <summary>Least number of inserted, deleted and replaced characters (V. I. Levenshtein, 1966), case ignored.</summary>
    /// <param name="left">A name.</param>
    /// <param name="right">Another name.</param>
    public static int Between(string left, string right)
    {
        if (left is null)
            throw new ArgumentNullException(nameof(left));
        if (right is null)
            throw new ArgumentNullException(nameof(right));
        var rows = Math.Min(left.Length, MaxLength);
        var columns = Math.Min(right.Length, MaxLength);
        var above = new int[columns + 1];
        var current = new int[columns + 1];
        for (var j = 0; j <= columns; j++)
            above[j] = j;
        for (var i = 1; i <= rows; i++)
        {
            current[0] = i;
            for (var j = 1; j <= columns; j++)
            {
                var replaced = above[j - 1] + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                current[j] = Math.Min(replaced, Math.Min(above[j], current[j - 1]) + 1);
            }
            (above, current) = (current, above);
        }
        return above[columns];
    }

    /// <summary>The name nearest to <paramref name="name"/>, the first of equally near ones; null where none is near enough
    /// to be meant, which is when more than half of it would have to change. A name whose beginning was written is nearer than any other.</summary>
    /// <param name="name">The name as written.</param>
    /// <param name="names">The names that could be meant.</param>
    public static string? Nearest(string name, IEnumerable<string> names)
    {
        if (name is null)
            throw new ArgumentNullException(nameof(name));
        if (names is null)
            throw new ArgumentNullException(nameof(names));
        string? best = null;
        var (begun, bestDistance) = (false, int.MaxValue);
        foreach (var candidate in names)
        {
            var distance = Between(name, candidate);
            var begins = name.Length >= LeastBeginning && candidate.StartsWith(name, StringComparison.OrdinalIgnoreCase);
            var near = begins || (!begun && 2 * distance <= Math.Min(MaxLength, Math.Max(name.Length, candidate.Length)));
            if (near && ((begins && !begun) || distance < bestDistance))
                (best, begun, bestDistance) = (candidate, begins, distance);
        }
        return best;
    }
}
