using System;
using System.Globalization;

namespace Preserve;

/// <summary>Figures as a device file has them: four digits say more than any measurement.</summary>
internal static class Rounded
{
    private const int SignificantDigits = 4;

    public static double Digits(double value)
    {
        if (value == 0)
            return 0;
        // By the text, for a quotient of a rounded number may end in 16 digits.
        return double.Parse(value.ToString("G" + SignificantDigits, CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>As <see cref="Digits"/>; what is below a thousandth of its unit, or below another least value, is nothing.</summary>
    public static double OrZero(double value, double least = 2e-3) => value < least ? 0 : Digits(value);

    /// <summary>As <see cref="Digits"/>, never above a bound.</summary>
    public static double AtMost(double value, double bound) => Math.Min(Digits(value), bound);
}
