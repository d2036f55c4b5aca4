namespace Preserve.Profiling;

/// <summary>A line through the times of copies of one kind.</summary>
/// <param name="FixedMicroseconds">The fixed time of a copy, 0 or more.</param>
/// <param name="GigabytesPerSecond">The rate, above 0.</param>
public sealed record CopyLine(double FixedMicroseconds, double GigabytesPerSecond)
{
    /// <summary>Times that are off by less are on the line.</summary>
    private const double Tolerance = 0.01;

    /// <summary>The time of a copy on the line, in microseconds.</summary>
    /// <param name="bytes">Its size.</param>
    public double Microseconds(long bytes) => FixedMicroseconds + (bytes / (1000 * GigabytesPerSecond));

    /// <summary>How far the line is off a timed copy: 0.01 for 1 % of its median, above or below.</summary>
    /// <param name="copy">The copy.</param>
    public double Error(CopyTiming copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        return Math.Abs(Microseconds(copy.Bytes) - copy.Time.MedianMicroseconds) / copy.Time.MedianMicroseconds;
    }

    /// <summary>Whether the line is off a timed copy by more than its times spread, and by more than 1 %: then no line fits copies of all sizes.</summary>
    /// <param name="copy">The copy.</param>
    public bool Misses(CopyTiming copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        return Error(copy) > Math.Max(copy.Time.Spread, Tolerance);
    }
}
