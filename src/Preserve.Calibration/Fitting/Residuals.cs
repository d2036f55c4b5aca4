using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>Figures of ratios of measured to predicted time.</summary>
internal static class Residuals
{
    /// <summary>The band that holds eight of ten ratios; null where there are none.</summary>
    public static ResidualBand? Band(List<double> ratios) =>
        ratios.Count == 0 ? null : new ResidualBand(Rounded.Digits(Quantile(ratios, 0.1)), Rounded.Digits(Quantile(ratios, 0.9)));

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
