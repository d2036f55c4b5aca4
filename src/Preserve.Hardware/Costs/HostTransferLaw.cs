using System;

namespace Preserve;

/// <summary>A copy between host and device: latency and bytes over a rate.</summary>
/// <remarks>The first-order model of a link (R. Hockney, The communication challenge for MPP, 1994). Pinned memory is read by the
/// device's copy engine; pageable memory passes through a pinned buffer first, at the rate of that copy (NVIDIA, CUDA C++ Best
/// Practices Guide, section "Pinned Memory"). Both directions at once keep a part of the link's rate each, and the ranks of one host
/// share its memory.</remarks>
internal static class HostTransferLaw
{
    /// <summary>What a copy demands. Its bytes cross the device's memory, the link and the host's memory at one rate.</summary>
    /// <param name="constants">Of the device.</param>
    /// <param name="operation">The copy.</param>
    public static KernelDemand Demand(HostTransferConstants constants, TransferOperation operation)
    {
        var latency = operation.Pinned ? constants.PinnedLatencyMicroseconds : constants.PageableLatencyMicroseconds;
        var rate = OwnRate(constants, operation.Pinned);
        return new KernelDemand(Picoseconds.FromMicroseconds(latency), HbmBytesPerPicosecond: rate, L2BytesPerPicosecond: rate, Transfer: operation.Direction);
    }

    /// <summary>What one direction of the link carries, in bytes per picosecond.</summary>
    /// <param name="constants">Of the device.</param>
    /// <param name="bothDirections">Whether the other direction runs at the same time.</param>
    public static double LinkRate(HostTransferConstants constants, bool bothDirections) =>
        constants.PinnedGigabytesPerSecond * (bothDirections ? constants.DuplexShare : 1) / 1000;

    /// <summary>One rank's part of the host's memory rate, where all ranks do the same, in bytes per picosecond.</summary>
    /// <param name="constants">Of the device.</param>
    /// <param name="ranks">Ranks of the host.</param>
    public static double MemoryRate(HostTransferConstants constants, int ranks) => constants.HostMemoryGigabytesPerSecond / (1000 * Math.Max(ranks, 1));

    /// <summary>Time of a copy that meets nothing but copies like it, in picoseconds.</summary>
    /// <param name="constants">Of the device.</param>
    /// <param name="operation">The copy.</param>
    /// <param name="bytes">Bytes of one rank.</param>
    /// <param name="bothDirections">Whether as much is copied in the other direction at the same time.</param>
    /// <param name="ranks">Ranks of one host that copy at the same time.</param>
    public static long Time(HostTransferConstants constants, TransferOperation operation, double bytes, bool bothDirections, int ranks)
    {
        var memory = MemoryRate(constants, ranks) / (bothDirections ? 2 : 1);
        var rate = Math.Min(OwnRate(constants, operation.Pinned), Math.Min(LinkRate(constants, bothDirections), memory));
        return Demand(constants, operation).FixedPicoseconds + Picoseconds.Ceiling(bytes / rate);
    }

    private static double OwnRate(HostTransferConstants constants, bool pinned) =>
        (pinned ? constants.PinnedGigabytesPerSecond : constants.PageableGigabytesPerSecond) / 1000;
}
