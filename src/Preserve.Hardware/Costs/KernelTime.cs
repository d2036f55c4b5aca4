using System;

namespace Preserve;

/// <summary>Time of one kernel on an otherwise idle machine: what the event simulation says where nothing else runs.</summary>
internal static class KernelTime
{
    /// <param name="demand">What the kernel demands.</param>
    /// <param name="hotBytes">Bytes that it reads from the L2.</param>
    /// <param name="coldBytes">Bytes that it moves between HBM and the chip.</param>
    /// <param name="hbmBytesPerPicosecond">What memory gives at most.</param>
    /// <param name="l2BytesPerPicosecond">What the L2 gives at most.</param>
    /// <returns>Picoseconds.</returns>
    public static double Picoseconds(
        in KernelDemand demand,
        double hotBytes,
        double coldBytes,
        double hbmBytesPerPicosecond = double.MaxValue,
        double l2BytesPerPicosecond = double.MaxValue)
    {
        var hot = Time(hotBytes, AtMost(demand.L2BytesPerPicosecond, l2BytesPerPicosecond));
        var cold = Time(coldBytes, AtMost(demand.HbmBytesPerPicosecond, hbmBytesPerPicosecond));
        var compute = Time(demand.Flops, demand.FlopsPerPicosecond);
        var link = Time(demand.LinkBytes, demand.LinkBytesPerPicosecond);
        return demand.FixedPicoseconds + Math.Max(hot + cold, Math.Max(compute, link));
    }

    /// <summary>Whether what crosses the link takes a kernel longer than what it computes.</summary>
    /// <param name="demand">What the kernel demands.</param>
    public static bool WaitsForLink(in KernelDemand demand) =>
        Time(demand.LinkBytes, demand.LinkBytesPerPicosecond) > Time(demand.Flops, demand.FlopsPerPicosecond);

    private static double AtMost(double kernel, double resource) => kernel > 0 ? Math.Min(kernel, resource) : resource;

    private static double Time(double amount, double rate) => amount > 0 && rate > 0 ? amount / rate : 0;
}
