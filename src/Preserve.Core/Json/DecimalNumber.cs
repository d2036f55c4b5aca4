using System.Globalization;

namespace Preserve;

/// <summary>Decimal spellings as doubles, rounded correctly on every runtime that loads the compiler.</summary>
/// <remarks>.NET Framework's own parser may miss by the last bit. Where digits and power of ten are both exact as doubles,
/// one multiplication or division rounds correctly (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990);
/// every figure of a device file is such a number.</remarks>
internal static class DecimalNumber
{
    private const long ExactDigits = 1L << 53;

    private static readonly double[] s_powersOfTen =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    /// <summary>The value of a number as JSON spells it; infinite where it is too large.</summary>
    public static double Parse(string spelling)
    {
        var digits = 0L;
        var power = 0;
        var at = spelling[0] == '-' ? 1 : 0;
        var afterPoint = false;
        for (; at < spelling.Length && spelling[at] is not ('e' or 'E'); at++)
        {
            if (spelling[at] == '.')
            {
                afterPoint = true;
                continue;
            }
            digits = (digits * 10) + (spelling[at] - '0');
            if (digits > ExactDigits)
                return Fallback(spelling);
            if (afterPoint)
                power--;
        }
        if (at < spelling.Length)
        {
            if (!int.TryParse(spelling.Substring(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent)
                || exponent is > 999 or < -999)
            {
                return digits == 0 ? 0 : Fallback(spelling);
            }
            power += exponent;
        }
        if (power is > 22 or < -22)
            return Fallback(spelling);
        var magnitude = power < 0 ? digits / s_powersOfTen[-power] : digits * s_powersOfTen[power];
        return spelling[0] == '-' ? -magnitude : magnitude;
    }

    private static double Fallback(string spelling) =>
        double.TryParse(spelling, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.PositiveInfinity;
}
