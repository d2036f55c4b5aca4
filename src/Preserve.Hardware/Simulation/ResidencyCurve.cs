using System;

namespace Preserve;

/// <summary>The part of what was used before that is found again in the L2, over the bytes used since, its own among them.</summary>
/// <remarks>Capacity is a curve and not a cliff: all up to the full-speed part of the L2, from there on evenly less, and nothing from a
/// limit on. Simulations, fits and validations all use this one.</remarks>
/// <param name="FullBytes">Most bytes that are found again whole; 0 where the L2 is unknown.</param>
/// <param name="LimitBytes">Bytes from which on nothing is found again, <paramref name="FullBytes"/> or more.</param>
internal readonly record struct ResidencyCurve(long FullBytes, long LimitBytes)
{
    /// <summary>The part that is found again, 0 to 1.</summary>
    /// <param name="distanceBytes">Bytes used since, its own among them (the stack distance).</param>
    public double Share(double distanceBytes) =>
        distanceBytes <= FullBytes ? FullBytes > 0 ? 1 : 0
        : distanceBytes >= LimitBytes ? 0
        : (LimitBytes - distanceBytes) / (LimitBytes - FullBytes);
}
