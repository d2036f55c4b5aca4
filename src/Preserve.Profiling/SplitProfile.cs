using System.Globalization;
using Preserve.Optimizer;

namespace Preserve.Profiling;

/// <summary>Measured copies and matmuls, from which a KV split can be planned.</summary>
/// <param name="Source">What was timed.</param>
/// <param name="Measured">When, in UTC, as <c>2026-01-31T12:00:00Z</c>.</param>
/// <param name="Copies">Times of copies.</param>
/// <param name="MatMuls">Times of matmuls.</param>
public sealed record SplitProfile(ProfileSource Source, string Measured, IReadOnlyList<CopyTiming> Copies, IReadOnlyList<MatMulTiming> MatMuls)
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>Whether a text is a time as <see cref="Measured"/> has it.</summary>
    internal static bool IsTime(string text) => DateTime.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    /// <summary>Times every copy and matmul of a list.</summary>
    /// <param name="profiler">What times them.</param>
    /// <param name="sizes">Which.</param>
    /// <param name="measured">The time at which it is done.</param>
    /// <param name="cancellationToken">Stops between two measurements.</param>
    public static SplitProfile Measure(IProfiler profiler, ProfileSizes sizes, DateTimeOffset measured, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(profiler);
        ArgumentNullException.ThrowIfNull(sizes);
        var copies = new List<CopyTiming>();
        foreach (var kind in ProfileSizes.CopyKinds)
        {
            foreach (var bytes in sizes.CopyBytes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                copies.Add(new(kind, bytes, profiler.Copy(bytes, kind)));
            }
        }
        var matMuls = new List<MatMulTiming>();
        foreach (var tokens in sizes.Tokens)
        {
            foreach (var underTransfer in new[] { false, true })
            {
                cancellationToken.ThrowIfCancellationRequested();
                matMuls.Add(new(sizes.Shape, tokens, underTransfer, profiler.MatMul(sizes.Shape, tokens, underTransfer)));
            }
        }
        return new(profiler.Source, measured.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture), copies, matMuls);
    }

    /// <summary>The line through a kind's copies: its fixed time, 0 where the line begins below, and its rate.</summary>
    /// <param name="kind">The kind.</param>
    /// <exception cref="InvalidOperationException">Fewer than two sizes were timed, or larger copies took no longer.</exception>
    public CopyLine LineOf(CopyKind kind)
    {
        var points = Copies.Where(c => c.Kind == kind).Select(c => ((double)c.Bytes, c.Time.MedianMicroseconds)).ToList();
        if (points.Select(p => p.Item1).Distinct().Count() is < 2 and var sizes)
            throw new InvalidOperationException($"the profile has copies {kind} of {sizes} sizes, but a line needs two or more");
        var line = LineFit.Of(points);
        if (line.Slope <= 0)
            throw new InvalidOperationException($"the profile's copies {kind} take no longer when they are larger: measure larger ones");
        return new(Math.Max(line.Intercept, 0), 1 / line.Slope / 1000);
    }

    /// <summary>A link to the host with the measured rate, fixed time, pageable rate and duplex share of copies to the device, all else as it
    /// was: a device with it is planned for, and simulated, as measured.</summary>
    /// <param name="link">The link of the device.</param>
    /// <exception cref="InvalidOperationException">Fewer than two sizes were timed of a kind, or larger copies took no longer.</exception>
    public HostLink LinkOf(HostLink link)
    {
        ArgumentNullException.ThrowIfNull(link);
        var (latency, rate) = LineOf(new CopyKind(TransferDirection.HostToDevice, Pinned: true, BothDirections: false));
        var both = LineOf(new CopyKind(TransferDirection.HostToDevice, Pinned: true, BothDirections: true));
        var pageable = LineOf(new CopyKind(TransferDirection.HostToDevice, Pinned: false, BothDirections: false));
        // What is slower by less than it spreads is not slower.
        return link with
        {
            SustainedGigabytesPerSecond = Digits(rate),
            LatencyMicroseconds = Digits(latency),
            PageableGigabytesPerSecond = Digits(Math.Min(pageable.GigabytesPerSecond, rate)),
            DuplexShare = Digits(Math.Min(both.GigabytesPerSecond / rate, 1)),
        };
    }

    /// <summary>The rate of the recomputation's matmul beside copies, in TFLOP/s: of the line through the times of those that a device computes for longer than it
    /// reads and writes. What smaller ones take says nothing of a rate.</summary>
    /// <param name="device">The device.</param>
    /// <returns>The rate; null where fewer than two such matmuls were timed.</returns>
    /// <exception cref="InvalidOperationException">Larger matmuls took no longer.</exception>
    public double? MatMulTeraflopsOn(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var points = MatMuls.Where(m => m.UnderTransfer && m.IsBoundByCompute(device.Kernels)).Select(m => (m.Teraflop, m.Time.MedianMicroseconds)).ToList();
        if (points.Select(p => p.Teraflop).Distinct().Count() < 2)
            return null;
        var line = LineFit.Of(points);
        return line.Slope > 0 ? Digits(1e6 / line.Slope) : throw new InvalidOperationException("the profile's matmuls take no longer when they are larger: measure larger ones");
    }

    /// <summary>The rates as a split wants them.</summary>
    public ISplitRates Rates => new MeasuredRates(this);

    /// <summary>Four digits, as no measurement has more.</summary>
    private static double Digits(double value) =>
        value == 0 ? 0 : double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
