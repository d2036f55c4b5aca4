namespace Preserve;

/// <summary>Times as whole picoseconds, rounded up, so that they compare and add the same everywhere.</summary>
internal static class Picoseconds
{
    /// <summary>Microseconds as picoseconds.</summary>
    public static long FromMicroseconds(double microseconds) => Ceiling(microseconds * 1e6);

    /// <summary>The least whole number that is not smaller.</summary>
    public static long Ceiling(double value)
    {
        var whole = (long)value;
        return whole < value ? whole + 1 : whole;
    }
}
