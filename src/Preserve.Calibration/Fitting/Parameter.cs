using System;

namespace Preserve;

/// <summary>A constant that is fitted: where the search begins and where it may not go.</summary>
/// <param name="Start">A plausible value.</param>
/// <param name="Least">The least that it may be, above 0: constants are searched by ratio.</param>
/// <param name="Most">The most that it may be.</param>
internal readonly record struct Parameter(double Start, double Least, double Most)
{
    public static Parameter Microseconds(double start) => new(start, 1e-3, 500);

    public static Parameter Nanoseconds(double start) => new(start, 1e-4, 50_000);

    /// <summary>A rate that cannot exceed what the machine has on paper.</summary>
    public static Parameter Rate(double peak, double share = 0.8) => new(peak * share, peak * 0.01, peak);

    /// <summary>A constant that is known.</summary>
    public static Parameter Known(double value) => new(value, value, value);

    public double Within(double value) => Math.Min(Math.Max(value, Least), Most);
}
