using System;

namespace Preserve;

/// <summary>Time of one kernel on an otherwise idle machine: what the event simulation says where nothing else runs.</summary>
internal static class KernelTime
{
    /// <param name="demand">What the kernel demands.</param>
    /// <param name="hotBytes">Bytes that it reads from the L2.</param>
    /// <param name="coldBytes">Bytes that it moves between HBM and the chip.</param>
    /// <returns>Picoseconds.</returns>
    public static double Picoseconds(in KernelDemand demand, double hotBytes, double coldBytes)
    {
        var memory = Time(hotBytes, demand.L2BytesPerPicosecond) + Time(coldBytes, demand.HbmBytesPerPicosecond);
        var compute = Time(demand.Flops, demand.FlopsPerPicosecond);
        var link = Time(demand.LinkBytes, demand.LinkBytesPerPicosecond);
        return demand.FixedPicoseconds + Math.Max(memory, Math.Max(compute, link));
    }

    private static double Time(double amount, double rate) => rate > 0 ? amount / rate : 0;
}
