using System;

namespace Preserve;

/// <summary>Matrix multiplication of few rows: the kernel streams the weight, and memory sets the time.</summary>
/// <remarks>Fixed cost and bytes over the rate that the kernel draws (S. Williams, A. Waterman and D. Patterson, Roofline, 2009),
/// with three corrections. Depth: a tile sums serially over k/s elements and s splits are joined afterwards; a k/s + b s is least at
/// s = sqrt(a k / b), which leaves 2 sqrt(a b k): time grows with the square root of the depth (M. Osama et al., Stream-K, 2023,
/// for the split of the depth). Blocks: the weight is loaded in blocks; small ones pay their latency often, large ones fill and drain
/// the pipeline slowly, and by the same argument the best size leaves a term in the square root of the bytes. Waves: tiles of 64 columns
/// go to the multiprocessors in turn, and while the last wave runs, those without a tile draw nothing (NVIDIA, Matrix Multiplication
/// Background, section "Wave Quantization").</remarks>
internal static class StreamingMatMulLaw
{
    private const double TileColumns = 64;

    public static KernelDemand Demand(in MatMulShape shape, StreamingMatMulConstants constants, int multiprocessors, double teraflops)
    {
        var root = Math.Sqrt(shape.Depth) / 1000;
        var bytes = shape.Bytes;
        var ramp = constants.RampMicroseconds * Math.Sqrt(bytes / 1e6);
        var fixedTime = Picoseconds.FromMicroseconds(constants.FixedMicroseconds + (constants.SplitNanoseconds * root) + ramp);
        var cold = bytes / constants.HbmTerabytesPerSecond * (1 + (constants.WaveShare * IdleShare(shape.Columns, multiprocessors)));
        // The fixed phase is over before it is known what is hot: what a hot kernel needs beyond it is part of its rate. It never needs
        // more than a cold one.
        var hotTime = (HotMicroseconds(shape.Depth, constants) * 1e6) + (bytes / constants.L2TerabytesPerSecond);
        var hot = Math.Min(cold, Math.Max(bytes / constants.L2TerabytesPerSecond, hotTime - fixedTime));
        return new KernelDemand(
            fixedTime,
            HbmBytesPerPicosecond: bytes / cold,
            L2BytesPerPicosecond: bytes / hot,
            Flops: shape.Flops,
            FlopsPerPicosecond: teraflops);
    }

    /// <summary>Time beside the bytes, the weight in the L2: a tile sums serially over the depth, or the depth is split, and a pass with a launch
    /// and ramp of its own joins the splits; the library takes the shorter way.</summary>
    private static double HotMicroseconds(double depth, StreamingMatMulConstants constants) =>
        constants.HotFixedMicroseconds + Math.Min(constants.HotSerialNanoseconds * depth / 1000, constants.HotFixedMicroseconds);

    /// <summary>Time that tiles wait for the last wave, over the time that they work.</summary>
    private static double IdleShare(double columns, int multiprocessors)
    {
        var waves = columns / TileColumns / multiprocessors;
        return (Math.Ceiling(waves) / waves) - 1;
    }
}
