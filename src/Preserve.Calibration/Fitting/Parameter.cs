using System;

namespace Preserve;

/// <summary>A constant that is fitted: where the search begins and where it may not go.</summary>
/// <param name="Start">A plausible value.</param>
/// <param name="Least">The least that it may be, above 0: constants are searched by ratio.</param>
/// <param name="Most">The most that it may be.</param>
internal readonly record struct Parameter(double Start, double Least, double Most)
{
    /// <summary>The longest times that are searched, which no kernel takes beside its work, and the least part of a peak.</summary>
    public const double MostMicroseconds = 500, MostNanoseconds = 50_000, LeastShareOfPeak = 0.01;

    public static Parameter Microseconds(double start) => new(start, 1e-3, MostMicroseconds);

    public static Parameter Nanoseconds(double start) => new(start, 1e-4, MostNanoseconds);

    /// <summary>A rate that cannot exceed what the machine has on paper.</summary>
    public static Parameter Rate(double peak, double share = 0.8) => new(peak * share, peak * LeastShareOfPeak, peak);

    /// <summary>A rate at which a kernel moves bytes to and from memory: no kernel alone exceeds what all traffic together reaches.</summary>
    public static Parameter MemoryRate(HbmMemory memory, double share = 0.8)
    {
        var (peak, most) = (memory.NominalGigabytesPerSecond / 1000, memory.SustainedGigabytesPerSecond / 1000);
        return new(Math.Min(peak * share, most), peak * LeastShareOfPeak, most);
    }

    /// <summary>A constant that is known.</summary>
    public static Parameter Known(double value) => new(value, value, value);

    public double Within(double value) => Math.Min(Math.Max(value, Least), Most);
}
