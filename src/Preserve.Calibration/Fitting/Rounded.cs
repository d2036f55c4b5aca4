using System;

namespace Preserve;

/// <summary>Figures as a device file has them: four digits say more than any measurement.</summary>
internal static class Rounded
{
    private const int SignificantDigits = 4;

    public static double Digits(double value)
    {
        if (value == 0)
            return 0;
        var scale = Math.Pow(10, SignificantDigits - 1 - Math.Floor(Math.Log10(Math.Abs(value))));
        return Math.Round(value * scale) / scale;
    }

    /// <summary>As <see cref="Digits"/>; what is below a thousandth of its unit is nothing.</summary>
    public static double OrZero(double value) => value < 2e-3 ? 0 : Digits(value);

    /// <summary>As <see cref="Digits"/>, never above a bound.</summary>
    public static double AtMost(double value, double bound) => Math.Min(Digits(value), bound);
}
