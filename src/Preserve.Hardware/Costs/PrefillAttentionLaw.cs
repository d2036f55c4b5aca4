using System;

namespace Preserve;

/// <summary>Attention of whole prompts: pairs of queries and keys under a causal mask, in tiles.</summary>
/// <remarks>Operations over a rate, and reading and writing that do not overlap with them (T. Dao et al., FlashAttention, 2022: each
/// block of queries is loaded once and passes over all keys). With few tiles the longest row of tiles, the last queries against all
/// keys, sets the time: it joins as the root of the sum of squares.</remarks>
internal static class PrefillAttentionLaw
{
    private const double TileRows = 128;

    public static KernelDemand Demand(in AttentionShape shape, PrefillAttentionConstants constants, int multiprocessors)
    {
        var flops = shape.Flops;
        var work = (flops / constants.Teraflops)
            + (shape.QueryBytes / constants.QueryTerabytesPerSecond)
            + (shape.KeyValueBytes / constants.KeyValueTerabytesPerSecond);
        var longest = 4 * TileRows * shape.Length * shape.HeadSize * multiprocessors / constants.TileTeraflops;
        var time = Math.Sqrt((work * work) + (longest * longest));
        return new KernelDemand(
            Picoseconds.FromMicroseconds(constants.FixedMicroseconds),
            HbmBytesPerPicosecond: shape.Bytes / time,
            Flops: flops,
            FlopsPerPicosecond: flops / time);
    }
}
