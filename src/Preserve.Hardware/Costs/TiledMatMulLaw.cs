using System;

namespace Preserve;

/// <summary>Matrix multiplication of many rows: tiles of the result share the multiprocessors in waves.</summary>
/// <remarks>A wave of tiles takes its operations over the rate of the device and the time to fill and drain a pipeline; a wave that
/// is partly filled takes as long as a full one (NVIDIA, Matrix Multiplication Background, sections "Tile Quantization" and "Wave
/// Quantization"). In 16-bit formats the library takes the tile that is fastest, as cuBLAS' heuristics aim to; in 8-bit formats tiles
/// have 128 columns and 128 rows, 64 up to 128 rows (vLLM, csrc/quantization/w8a8/cutlass, the dispatch by m), and activations
/// are converted by a kernel of its own, which takes a row in a block, as a norm does (vLLM, csrc/quantization/w8a8/fp8/common.cu,
/// dynamic_per_token_scaled_fp8_quant). Computing and streaming overlap but for the ends: the fourth root of the sum of fourth
/// powers is within 19 % of the longer one where they are equal, and the longer one elsewhere.</remarks>
internal static class TiledMatMulLaw
{
    /// <param name="shape">The shape; the bits of its weight say what is read, not in which format it is computed.</param>
    /// <param name="format">The format whose kernels run.</param>
    /// <param name="constants">Of that format.</param>
    /// <param name="multiprocessors">Multiprocessors that share the tiles.</param>
    /// <param name="l2TerabytesPerSecond">Most that the kernel draws from the L2.</param>
    public static KernelDemand Demand(in MatMulShape shape, Precision format, TiledMatMulConstants constants, int multiprocessors, double l2TerabytesPerSecond)
    {
        var fixedTime = constants.FixedMicroseconds + (constants.SplitNanoseconds * Math.Sqrt(shape.Depth) / 1000);
        var convert = shape.Rows * ((constants.QuantizeRowNanoseconds * 1000) + (constants.QuantizePicoseconds * shape.Depth));
        var compute = format.Bits() < 16 ? DispatchedTile(shape, constants, multiprocessors) : FastestTile(shape, constants, multiprocessors);
        var bytes = shape.Bytes;
        return new KernelDemand(
            Picoseconds.Ceiling((fixedTime * 1e6) + convert),
            HbmBytesPerPicosecond: bytes / Joined(bytes / constants.HbmTerabytesPerSecond, compute),
            L2BytesPerPicosecond: bytes / Joined(bytes / l2TerabytesPerSecond, compute),
            Flops: shape.Flops,
            FlopsPerPicosecond: shape.Flops / compute);
    }

    private static double FastestTile(in MatMulShape shape, TiledMatMulConstants constants, int multiprocessors)
    {
        var large = Math.Min(Waves(shape, constants, multiprocessors, 128, 256), Waves(shape, constants, multiprocessors, 256, 128));
        var middle = Math.Min(Waves(shape, constants, multiprocessors, 128, 128), Waves(shape, constants, multiprocessors, 64, 64));
        var narrow = Math.Min(Waves(shape, constants, multiprocessors, 64, 128), Waves(shape, constants, multiprocessors, 128, 64));
        return Math.Min(large, Math.Min(middle, narrow));
    }

    private static double DispatchedTile(in MatMulShape shape, TiledMatMulConstants constants, int multiprocessors) =>
        Waves(shape, constants, multiprocessors, shape.Rows <= 128 ? 64 : 128, 128);

    private static double Waves(in MatMulShape shape, TiledMatMulConstants constants, int multiprocessors, double rows, double columns)
    {
        var tiles = Math.Ceiling(shape.Rows / rows) * Math.Ceiling(shape.Columns / columns);
        var flopsOfWave = 2 * rows * columns * shape.Depth * multiprocessors;
        return Math.Ceiling(tiles / multiprocessors) * ((flopsOfWave / constants.Teraflops) + (constants.WaveMicroseconds * 1e6));
    }

    private static double Joined(double left, double right)
    {
        var (l, r) = (left * left, right * right);
        return Math.Sqrt(Math.Sqrt((l * l) + (r * r)));
    }
}
