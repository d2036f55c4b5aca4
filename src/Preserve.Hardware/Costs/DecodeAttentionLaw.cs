using System;

namespace Preserve;

/// <summary>Attention of one new token per sequence: the cache is streamed once, split over the multiprocessors.</summary>
/// <remarks>Each pair of sequence and KV head is a tile. Many short tiles are bound by their number, few long ones by bytes; between
/// the two the root of the sum of squares holds. A long sequence is split, and the best number of splits leaves a time that grows
/// with the square root of the length, as for the depth of a matmul (T. Dao, Flash-Decoding, 2023); splits are joined by a kernel
/// of their own. FlashAttention 2 as vLLM calls it splits only grouped heads, whose result it reorders where batch and KV heads are
/// both more than one (vllm-project/flash-attention, mha_varlen_fwd, "seqlenq_ngroups_swapped"); with its constant at 0 the law is
/// that of FlashAttention 3, which splits all.</remarks>
internal static class DecodeAttentionLaw
{
    /// <summary>Tokens of a block of the cache. Sequences that are longer are split.</summary>
    private const double BlockTokens = 256;

    public static KernelDemand Demand(in AttentionShape shape, DecodeAttentionConstants constants)
    {
        var length = shape.Length;
        var fixedTime = constants.FixedMicroseconds;
        var serial = 0.0;
        if (shape.Heads > shape.KeyValueHeads || constants.SerialNanoseconds == 0)
        {
            fixedTime += constants.SplitNanoseconds * Math.Sqrt(length) / 1000;
            if (length >= BlockTokens)
                fixedTime += constants.CombineMicroseconds;
            if (shape.Heads > shape.KeyValueHeads && shape.Sequences > 1 && shape.KeyValueHeads > 1)
                fixedTime += constants.RegroupMicroseconds;
        }
        else
        {
            serial = constants.SerialNanoseconds * 1000 * length;
        }
        var bytes = shape.Bytes;
        var tiles = constants.TileNanoseconds * 1000 * shape.Sequences * shape.KeyValueHeads;
        return new KernelDemand(
            Picoseconds.FromMicroseconds(fixedTime),
            HbmBytesPerPicosecond: bytes / Math.Max(serial, Joined(bytes / constants.HbmTerabytesPerSecond, tiles)),
            L2BytesPerPicosecond: bytes / Math.Max(serial, Joined(bytes / constants.L2TerabytesPerSecond, tiles)));
    }

    private static double Joined(double left, double right) => Math.Sqrt((left * left) + (right * right));
}
