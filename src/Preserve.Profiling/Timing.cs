namespace Preserve.Profiling;

/// <summary>Repeated times of one thing, in microseconds.</summary>
/// <param name="MedianMicroseconds">Half took no longer.</param>
/// <param name="LowMicroseconds">A quarter took no longer.</param>
/// <param name="HighMicroseconds">Three quarters took no longer.</param>
/// <param name="Repetitions">How many were taken, after the warm-up; 1 for a model, which has no spread.</param>
public sealed record Timing(double MedianMicroseconds, double LowMicroseconds, double HighMicroseconds, int Repetitions)
{
    /// <summary>How far the middle half spreads: 0.01 for 1 % of the median.</summary>
    public double Spread => (HighMicroseconds - LowMicroseconds) / MedianMicroseconds;

    /// <summary>The quartiles of repeated times.</summary>
    /// <param name="microseconds">The times, at least one.</param>
    public static Timing Of(IReadOnlyCollection<double> microseconds)
    {
        ArgumentNullException.ThrowIfNull(microseconds);
        var quantiles = new Quantiles(microseconds);
        return new(quantiles.At(0.5), quantiles.At(0.25), quantiles.At(0.75), microseconds.Count);
    }
}
