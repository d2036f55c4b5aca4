using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>Problems of the KV split for tests.</summary>
internal static class KvSplits
{
    public static Rational Gigabyte => 1_000_000_000;

    /// <summary>Multi-head attention in 16 bit on one rank, an A100's 312 TFLOP/s behind a link of 32 GB/s, and nothing beside.</summary>
    public static KvSplitProblem MultiHead(int hidden, int batch = 32, int prompt = 1_000_000, int gigabytesPerSecond = 32) =>
        new(batch, hidden, hidden, 2, 2, Gigabyte * gigabytesPerSecond,
            TokenTime.Recompute(batch, hidden, hidden, (Rational)312_000 * Gigabyte), prompt);

    /// <summary>Small problems of every kind: ties, fixed costs, weights, tiles, ranks that gather, sampled times that may fall.</summary>
    public static Gen<KvSplitProblem> Random(bool neverFalls = false) =>
        from prompt in Gen.Choose(0, 60)
        from tile in Gen.Elements(1, 1, 2, 3, 8, 16)
        from rates in Gen.ArrayOf(Gen.Choose(1, 12), 4)
        from fixedTimes in Gen.ArrayOf(Gen.Frequency((2, Gen.Constant(0)), (1, Gen.Choose(0, 60))), 3)
        from sizes in Gen.ArrayOf(Gen.Choose(1, 8), 3)
        from fourBit in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
        from weights in Gen.ArrayOf(Gen.Frequency((2, Gen.Constant(0)), (1, Gen.Choose(0, 300))), 2)
        from ranks in Gen.Elements(1, 1, 2, 4)
        from memory in Gen.Choose(0, 20)
        from other in Gen.ArrayOf(Gen.Frequency((2, Gen.Constant(0)), (1, Gen.Choose(0, 40))), 2)
        from recompute in Time(prompt, tile, rates[0], rates[1], fixedTimes[0], neverFalls)
        from gather in Time(prompt, tile, 1, rates[2] * 4, fixedTimes[1], neverFalls)
        from batches in Gen.Elements(1, 1, 3)
        from gathers in Gen.Elements(true, false)
        select new KvSplitProblem(1, sizes[0], sizes[1] * 2, 2, fourBit ? new Rational(9, 16) : 2, rates[3], recompute, prompt)
        {
            Tile = tile,
            TransferSeconds = new Rational(fixedTimes[2], 3),
            FirstWeightBytes = weights[0],
            OtherWeightBytes = weights[1],
            Batches = batches,
            Ranks = ranks,
            HostMemoryBytesPerSecond = memory == 0 ? null : (Rational)memory,
            Gather = ranks > 1 && gathers ? gather : null,
            OtherSeconds = other[0],
            OtherSecondsPerToken = new Rational(other[1], 40),
        };

    private static Gen<TokenTime> Time(int prompt, int tile, int perToken, int divisor, int fixedTime, bool neverFalls)
    {
        TokenTime linear = new LinearTime(new Rational(fixedTime, 2), new Rational(perToken * 4, divisor));
        var steps = from jumps in Gen.ArrayOf(Gen.Frequency((2, Gen.Constant(0)), (2, Gen.Choose(0, 20)), (1, Gen.Choose(neverFalls ? 0 : -10, 0))), prompt + 1)
                    select (TokenTime)SampledTime.Of(tile, prompt, l => 1_000_000_000_000L * Math.Max(0, jumps.Take(l).Sum()));
        return Gen.Frequency((2, Gen.Constant(linear)), (1, steps));
    }
}
