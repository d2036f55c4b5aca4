using System;
using System.Globalization;

namespace Preserve;

/// <summary>The names of what each batch has of its own, where a layer serves several: <c>h@2</c> is the <c>h</c> of batch 2, counted from 0. Weights
/// belong to all, and carry no batch.</summary>
internal static class BatchNames
{
    private const char Mark = '@';

    /// <summary>A name's end for a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="batches">Batches that there are; one has no mark.</param>
    public static string Suffix(int batch, int batches) => batches == 1 ? "" : Mark + batch.ToString(CultureInfo.InvariantCulture);

    /// <summary>The batch of a name; -1 where it belongs to all.</summary>
    /// <param name="name">The name.</param>
    public static int BatchOf(string name) =>
        name.LastIndexOf(Mark) is >= 0 and var mark && int.TryParse(name.Substring(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var batch) ? batch : -1;

    /// <summary>The end of a name that says its batch; empty where it says none.</summary>
    /// <param name="name">The name.</param>
    public static string SuffixOf(string name) => BatchOf(name) < 0 ? "" : name.Substring(name.LastIndexOf(Mark));

    /// <summary>A name without its batch.</summary>
    /// <param name="name">The name.</param>
    public static string Without(string name) => name.Substring(0, name.Length - SuffixOf(name).Length);

    /// <summary>A name that is like another of the same batch.</summary>
    /// <param name="name">The other.</param>
    /// <param name="end">What its name without the batch is followed by.</param>
    public static string Append(string name, string end) => Without(name) + end + SuffixOf(name);
}
