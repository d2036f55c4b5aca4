namespace Preserve.Profiling;

/// <summary>Values by rising size. Between two ranks it is interpolated, as NIST's percentiles are.</summary>
/// <param name="values">The values, at least one.</param>
internal sealed class Quantiles(IEnumerable<double> values)
{
    private readonly double[] _sorted = [.. values.Order()];

    /// <param name="values">The values, at least one.</param>
    public static double Median(IEnumerable<double> values) => new Quantiles(values).At(0.5);

    /// <summary>The value that a share of them does not exceed.</summary>
    /// <param name="share">The share, 0 to 1.</param>
    public double At(double share)
    {
        var rank = share * (_sorted.Length - 1);
        var below = (int)rank;
        return below + 1 < _sorted.Length ? _sorted[below] + ((rank - below) * (_sorted[below + 1] - _sorted[below])) : _sorted[below];
    }
}
