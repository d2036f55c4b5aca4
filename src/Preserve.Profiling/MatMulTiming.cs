namespace Preserve.Profiling;

/// <summary>One timed matmul.</summary>
/// <param name="Shape">Its sizes.</param>
/// <param name="Tokens">Tokens l of every sequence.</param>
/// <param name="UnderTransfer">Whether copies ran meanwhile.</param>
/// <param name="Time">Its times.</param>
public sealed record MatMulTiming(RecomputeShape Shape, int Tokens, bool UnderTransfer, Timing Time)
{
    /// <summary>Operations per second at the median, in TFLOP/s; a multiply-add counts as two.</summary>
    public double Teraflops => Teraflop / Time.MedianMicroseconds * 1e6;

    /// <summary>Operations, in 10^12.</summary>
    internal double Teraflop => 4.0 * Shape.Batch * Tokens * Shape.Hidden * Shape.KeyValueWidth / 1e12;

    /// <summary>Whether kernels with such constants take longer for the operations in bf16 than for the bytes.</summary>
    internal bool IsBoundByCompute(KernelConstants kernels)
    {
        var (rows, columns) = ((double)Shape.Batch * Tokens, 2.0 * Shape.KeyValueWidth);
        var terabytes = 2 * ((rows * Shape.Hidden) + (rows * columns) + (columns * Shape.Hidden)) / 1e12;
        return Teraflop / kernels.MatMulBf16Teraflops >= terabytes / kernels.MatMulHbmTerabytesPerSecond;
    }
}
