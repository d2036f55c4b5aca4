using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>Figures of ratios of measured to predicted time.</summary>
internal static class Residuals
{
    /// <summary>The band that holds eight of ten ratios; null where there are none. Few ratios may lie on one side of the law by chance: their band
    /// reaches the law's own time.</summary>
    public static ResidualBand? Band(List<double> ratios)
    {
        if (ratios.Count == 0)
            return null;
        var (low, high) = (Rounded.Digits(Quantile(ratios, 0.1)), Rounded.Digits(Quantile(ratios, 0.9)));
        return ratios.Count < Calibrator.LeastRows ? new ResidualBand(Math.Min(low, 1), Math.Max(high, 1)) : new ResidualBand(low, high);
    }

    /// <summary>The value that a part of all lies below, between neighbours in proportion.</summary>
    public static double Quantile(List<double> values, double part)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        var at = part * (sorted.Length - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
    }
}
