namespace Preserve;

/// <summary>Constants of <see cref="HostTransferLaw"/>.</summary>
/// <param name="PinnedLatencyMicroseconds">Fixed time of a copy to or from pinned memory.</param>
/// <param name="PinnedGigabytesPerSecond">Its rate, in one direction.</param>
/// <param name="PageableLatencyMicroseconds">Fixed time of a copy to or from pageable memory.</param>
/// <param name="PageableGigabytesPerSecond">Its rate: that of the copy into a pinned buffer.</param>
/// <param name="DuplexShare">The part of the rate that a direction keeps while the other one runs too, above 0 to 1.</param>
/// <param name="HostMemoryGigabytesPerSecond">Rate of the host's memory, that all ranks of a host share.</param>
public sealed record HostTransferConstants(
    double PinnedLatencyMicroseconds,
    double PinnedGigabytesPerSecond,
    double PageableLatencyMicroseconds,
    double PageableGigabytesPerSecond,
    double DuplexShare,
    double HostMemoryGigabytesPerSecond);
