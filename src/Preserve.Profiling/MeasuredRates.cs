using Preserve.Optimizer;

namespace Preserve.Profiling;

/// <summary>The rates of a profile: lines through its copies, and its matmuls' medians under transfer, interpolated. Of tokens that were timed more than once the
/// median of those.</summary>
internal sealed class MeasuredRates(SplitProfile profile) : ISplitRates
{
    /// <summary>Part of what was measured.</summary>
    public Rational? HostMemoryBytesPerSecond => null;

    public CopyRate Copy(TransferDirection direction)
    {
        var (fixedTime, rate) = profile.LineOf(new CopyKind(direction, Pinned: true, BothDirections: false));
        return new(Rational.FromDouble(fixedTime) / 1_000_000, Rational.FromDouble(rate) * 1_000_000_000);
    }

    public TokenTime Recompute(int batch, int hidden, int keyValueWidth, int tile, int most)
    {
        var shape = new RecomputeShape(batch, hidden, keyValueWidth);
        var points = profile.MatMuls.Where(m => m.Shape == shape && m.UnderTransfer).GroupBy(m => m.Tokens).OrderBy(g => g.Key)
            .Select(g => ((double)g.Key, Quantiles.Median(g.Select(m => m.Time.MedianMicroseconds)))).ToList();
        if (points.Count < 2)
        {
            var known = string.Join("; ", profile.MatMuls.Select(m => m.Shape).Distinct());
            throw new ArgumentException($"the profile has matmuls {shape} of {points.Count} numbers of tokens under transfer, but two or more are needed; it has {(known.Length > 0 ? known : "none")}");
        }
        return SampledTime.Of(tile, most, tokens => Math.Max(0, (long)Math.Ceiling(At(points, tokens) * 1e6)));
    }

    /// <summary>The ranks' link is not measured.</summary>
    public TokenTime? Gather(Rational bytesPerToken, int ranks, int tile, int most) => null;

    /// <summary>Between two points on the line through them; outside on the line through the two that are nearest, and not below 0.</summary>
    internal static double At(IReadOnlyList<(double X, double Y)> points, double x)
    {
        var next = 1;
        while (next < points.Count - 1 && points[next].X < x)
            next++;
        var (a, b) = (points[next - 1], points[next]);
        return Math.Max(0, a.Y + ((x - a.X) * (b.Y - a.Y) / (b.X - a.X)));
    }
}
