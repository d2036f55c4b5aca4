using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Which rows a fit sees: whole shapes stay out, by a hash of the shape, so that every machine and every run agrees.</summary>
internal static class Split
{
    /// <summary>Whether the rows of a shape are kept from the fit: one shape in four.</summary>
    public static bool IsHeldOut(string shape) => Bucket(shape, 4) == 0;

    /// <summary>Whether all rows of a model's layers are kept from the fit: the time of a whole layer is held against a model of which no
    /// operator was seen.</summary>
    public static bool IsHeldOutModel(string model) => model.StartsWith("Llama-2-70b", StringComparison.Ordinal);

    /// <summary>Five parts of some rows, the rows of a shape all in one.</summary>
    public static IEnumerable<List<TRow>> Folds<TRow>(IEnumerable<TRow> rows, Func<TRow, string> shape) =>
        rows.GroupBy(r => Bucket("fold " + shape(r), 5)).Select(g => g.ToList());

    /// <summary>The messages of a collective that are kept from its fit: one size in five, of those that have a neighbour of half or
    /// twice the size on one side and another on the other. Tables have few sizes, some a factor of 64 apart: without both its
    /// neighbours a size is not predicted but guessed.</summary>
    /// <param name="group">The collective and its ranks.</param>
    /// <param name="bytes">The sizes that were measured.</param>
    public static HashSet<long> HeldOutMessages(string group, IEnumerable<long> bytes)
    {
        var sizes = bytes.Distinct().Order().ToArray();
        var held = new HashSet<long>();
        foreach (var (size, at) in Between(sizes).OrderBy(s => Bucket($"{group} {s.Size}", int.MaxValue)).ThenBy(s => s.Size))
        {
            var near = sizes[at - 1] * 2 >= size || sizes[at + 1] <= size * 2;
            if (near && held.Count < sizes.Length / 5 && !held.Contains(sizes[at - 1]) && !held.Contains(sizes[at + 1]))
                held.Add(size);
        }
        return held;
    }

    /// <summary>The sizes between the least and the largest, with their places in the array.</summary>
    private static IEnumerable<(long Size, int At)> Between(long[] sizes) => sizes.Select((s, i) => (s, i)).Skip(1).SkipLast(1);

    /// <summary>A number below <paramref name="buckets"/> (FNV-1a, with the finaliser of MurmurHash3).</summary>
    public static int Bucket(string shape, int buckets)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in shape)
            hash = (hash ^ c) * 1099511628211UL;
        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdUL;
        hash ^= hash >> 33;
        return (int)(hash % (ulong)buckets);
    }
}
