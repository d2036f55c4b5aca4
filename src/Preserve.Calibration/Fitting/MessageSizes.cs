using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Whether the measured sizes of a collective tell its constants.</summary>
/// <remarks>Every constant wants a size of its own, and sizes less than a factor of two apart count as one. A rate shows only in messages
/// that take as long on the link as the smallest takes in all: with none so large, any rate fits.</remarks>
internal static class MessageSizes
{
    /// <summary>Rows below which a collective is not fitted.</summary>
    private const int LeastRows = 6;

    /// <summary>What the rows lack; null where they tell the constants.</summary>
    /// <param name="rows">Rows of one library, number of ranks and way to launch.</param>
    /// <param name="constants">Constants of the law.</param>
    /// <param name="linkMicroseconds">What the link takes for a row's message at its full rate.</param>
    public static string? Lacking(IReadOnlyList<CollectiveRow> rows, int constants, Func<CollectiveRow, double> linkMicroseconds)
    {
        var sizes = Doubling(rows);
        if (rows.Count < LeastRows || sizes < constants)
            return string.Create(CultureInfo.InvariantCulture, $"has {rows.Count} rows of {sizes} sizes to fit, but needs {LeastRows} rows of {constants} sizes, each at least twice the one before");
        var (smallest, largest) = (rows.MinBy(r => r.Bytes)!, rows.MaxBy(r => r.Bytes)!);
        return linkMicroseconds(largest) >= smallest.Microseconds
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"has rows of {smallest.Bytes} to {largest.Bytes} bytes to fit, but needs a message that takes the link {smallest.Microseconds:0.0} us, as the smallest took; its largest takes {linkMicroseconds(largest):0.0}");
    }

    /// <summary>Sizes of which each is at least twice the one before.</summary>
    public static int Doubling(IEnumerable<CollectiveRow> rows)
    {
        var (count, next) = (0, 0.0);
        foreach (var size in rows.Select(r => r.Bytes).Order())
        {
            if (size >= next)
                (count, next) = (count + 1, 2.0 * size);
        }
        return count;
    }
}
