namespace Preserve.Exploration;

/// <summary>Dies on a wafer, and how many of them work.</summary>
public static class Wafer
{
    private const double SquareMillimetresPerSquareCentimetre = 100;

    /// <summary>Square dies on a round wafer, a mean and so not whole: pi d^2 / 4A - pi d / sqrt(2A), the second term for those that the edge
    /// cuts (D. K. de Vries, IEEE Transactions on Semiconductor Manufacturing 18(1), 2005; Hennessy and Patterson, Computer Architecture,
    /// section 1.6).</summary>
    /// <param name="diameterMillimetres">Diameter of the wafer.</param>
    /// <param name="dieSquareMillimetres">Area of a die.</param>
    public static double Dies(double diameterMillimetres, double dieSquareMillimetres) =>
        (Math.PI * diameterMillimetres * diameterMillimetres / (4 * dieSquareMillimetres)) - (Math.PI * diameterMillimetres / Math.Sqrt(2 * dieSquareMillimetres));

    /// <summary>Part of the dies without a defect, by the negative binomial model: (1 + A D / a)^-a (C. H. Stapper, IBM Journal of Research
    /// and Development 27(6), 1983).</summary>
    /// <param name="dieSquareMillimetres">Area A of a die.</param>
    /// <param name="defectsPerSquareCentimetre">Mean density D of defects that kill.</param>
    /// <param name="clustering">Parameter a: the smaller, the more defects stand together; without bound it is Poisson's model.</param>
    /// <returns>Above 0, at most 1.</returns>
    public static double Yield(double dieSquareMillimetres, double defectsPerSquareCentimetre, double clustering) =>
        Math.Pow(1 + (dieSquareMillimetres / SquareMillimetresPerSquareCentimetre * defectsPerSquareCentimetre / clustering), -clustering);
}
