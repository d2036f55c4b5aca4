using System;

namespace Preserve;

/// <summary>Norms and elementwise operators: a fixed cost, then a row's serial pass or the bytes of all rows.</summary>
/// <remarks>One block of threads takes a row, so a kernel of few rows takes what one row takes, however many multiprocessors idle; a
/// kernel of many rows takes its bytes over the rate that it draws (the roofline with a floor; block per row as in vLLM,
/// csrc/layernorm_kernels.cu and csrc/activation_kernels.cu).</remarks>
internal static class SmallOperatorLaw
{
    /// <param name="constants">Of the operator.</param>
    /// <param name="width">Elements of a row that one block passes over.</param>
    /// <param name="bytes">Bytes read and written by all rows.</param>
    public static KernelDemand Demand(SmallOperatorConstants constants, double width, double bytes)
    {
        var row = constants.RowNanoseconds * 1000 * width;
        var stream = bytes / constants.TerabytesPerSecond;
        var rate = bytes > 0 ? bytes / Math.Max(row, stream) : 0;
        return new KernelDemand(Picoseconds.FromMicroseconds(constants.FixedMicroseconds), HbmBytesPerPicosecond: rate, L2BytesPerPicosecond: rate);
    }
}
