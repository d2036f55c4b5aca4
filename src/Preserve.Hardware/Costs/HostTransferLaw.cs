using System;

namespace Preserve;

/// <summary>A copy between host and device: latency and bytes over a rate.</summary>
/// <remarks>The first-order model of a link (R. Hockney, The communication challenge for MPP, 1994). Pinned memory is read by the
/// device's copy engine; pageable memory passes through a pinned buffer first, at the rate of that copy (NVIDIA, CUDA C++ Best
/// Practices Guide, section "Pinned Memory"). Both directions at once keep a part of their rate each, and the ranks of one host
/// share its memory.</remarks>
internal static class HostTransferLaw
{
    /// <summary>What a copy demands of the link.</summary>
    /// <param name="constants">Of the device.</param>
    /// <param name="transfer">The copy.</param>
    public static KernelDemand Demand(HostTransferConstants constants, in HostTransfer transfer)
    {
        var latency = transfer.Pinned ? constants.PinnedLatencyMicroseconds : constants.PageableLatencyMicroseconds;
        return new KernelDemand(
            Picoseconds.FromMicroseconds(latency),
            HostToDeviceBytes: transfer.ToDevice ? transfer.Bytes : 0,
            DeviceToHostBytes: transfer.ToDevice ? 0 : transfer.Bytes);
    }

    /// <summary>Rate of a copy, in bytes per picosecond.</summary>
    public static double Rate(HostTransferConstants constants, in HostTransfer transfer)
    {
        var rate = transfer.Pinned ? constants.PinnedGigabytesPerSecond : constants.PageableGigabytesPerSecond;
        if (transfer.BothDirections)
            rate *= constants.DuplexShare;
        var share = constants.HostMemoryGigabytesPerSecond / (transfer.RanksOfHost * (transfer.BothDirections ? 2 : 1));
        return Math.Min(rate, share) / 1000;
    }

    /// <summary>Time of a copy on an otherwise idle machine, in picoseconds.</summary>
    public static long Time(HostTransferConstants constants, in HostTransfer transfer) =>
        Demand(constants, transfer).FixedPicoseconds + Picoseconds.Ceiling(transfer.Bytes / Rate(constants, transfer));
}

/// <summary>A copy between host and device.</summary>
/// <param name="Bytes">Bytes of one rank.</param>
/// <param name="ToDevice">Its direction.</param>
/// <param name="Pinned">Whether the host's memory is pinned.</param>
/// <param name="BothDirections">Whether the other direction runs at the same time.</param>
/// <param name="RanksOfHost">Ranks of one host that copy at the same time.</param>
internal readonly record struct HostTransfer(double Bytes, bool ToDevice, bool Pinned, bool BothDirections, int RanksOfHost);
