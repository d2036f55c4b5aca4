namespace Preserve;

/// <summary>What one kernel demands: a fixed phase, then work that drains in parallel, each part at most at its own rate.
/// A rate of 0 means that only the resource limits it.</summary>
/// <remarks>Memory traffic is not part of it: which bytes are hot is known when the kernel starts.</remarks>
/// <param name="FixedPicoseconds">Launch and ramp, 0 or more; no resource is used meanwhile.</param>
/// <param name="HbmBytesPerPicosecond">Most that the kernel draws from memory.</param>
/// <param name="L2BytesPerPicosecond">Most that the kernel draws from the L2.</param>
/// <param name="Flops">Operations; a multiply-add counts as two.</param>
/// <param name="FlopsPerPicosecond">Rate at which this kernel computes.</param>
/// <param name="LinkBytes">Bytes that cross the scale-up link into this rank.</param>
/// <param name="LinkBytesPerPicosecond">Most that the kernel draws from the link.</param>
/// <param name="Transfer">The direction of the host link that its memory traffic crosses; null where it stays on the device.</param>
public readonly record struct KernelDemand(
    long FixedPicoseconds,
    double HbmBytesPerPicosecond = 0,
    double L2BytesPerPicosecond = 0,
    double Flops = 0,
    double FlopsPerPicosecond = 0,
    double LinkBytes = 0,
    double LinkBytesPerPicosecond = 0,
    TransferDirection? Transfer = null);
