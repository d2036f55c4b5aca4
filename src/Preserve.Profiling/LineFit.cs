namespace Preserve.Profiling;

/// <summary>A line through measured points that a few bad ones do not bend.</summary>
/// <remarks>The slope is the median of those between all pairs of points, the intercept the median of what is left (H. Theil, 1950; P. K.
/// Sen, 1968).</remarks>
/// <param name="Intercept">Value at 0.</param>
/// <param name="Slope">Growth per unit.</param>
internal readonly record struct LineFit(double Intercept, double Slope)
{
    /// <param name="points">Two or more, at different places.</param>
    public static LineFit Of(IReadOnlyList<(double X, double Y)> points)
    {
        var slopes = new List<double>();
        for (var i = 0; i < points.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (points[i].X != points[j].X)
                    slopes.Add((points[i].Y - points[j].Y) / (points[i].X - points[j].X));
            }
        }
        if (slopes.Count == 0)
            throw new ArgumentException("a line needs points at two places or more", nameof(points));
        var slope = Quantiles.Median(slopes);
        return new(Quantiles.Median(points.Select(p => p.Y - (slope * p.X))), slope);
    }
}
