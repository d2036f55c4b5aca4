using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Refuses times that are in another unit than microseconds, by what no machine and no fit to its times does.</summary>
/// <param name="device">The machine.</param>
/// <param name="system">The name under which it was measured.</param>
internal sealed class TimeUnit(Device device, string system)
{
    /// <summary>The least part of a peak that the best large row of a table reaches. Those of the published tables reach 0.70 and more (collectives of
    /// GB200 0.70, of A100 0.74; attention of A100 0.85; matmuls of B200 0.90); half of that leaves room for slower kernels, and none for times that are three
    /// times too large, for no row reaches more than the peak.</summary>
    public const double LeastShare = 0.35;

    /// <summary>What a row takes at a peak, in microseconds, where it is large: the launch, of some microseconds, is a small part of it.</summary>
    private const double LargeMicroseconds = 50;

    /// <summary>A constant within a thousandth of its bound stands there: it was rounded to four digits.</summary>
    private const double Near = 1.001;

    /// <summary>The question behind every refusal.</summary>
    public static string QuestionOf(string table) =>
        table == MeasurementSet.LayerTableName ? "are its columns that end in _us in microseconds?" : "is its column us in microseconds?";

    /// <summary>Refuses a table of which no large row comes near a peak of the device.</summary>
    /// <exception cref="CalibrationException">There is one.</exception>
    public void CheckShares(SystemRows rows)
    {
        foreach (var (table, share, line) in Shares(rows))
        {
            if (share < LeastShare)
                throw Refused($"no large row of '{system}' in {table} reaches more than {100 * share:G2} % of the peak of {device.Id} (line {line}), where those of the devices that were measured reach 70 % and more", table);
        }
    }

    /// <summary>The largest part of a peak that a large row of each table reaches, and its line.</summary>
    public IEnumerable<(string Table, double Share, int Line)> Shares(SystemRows rows)
    {
        var checks = new RowChecks(device);
        return new[]
        {
            Best(MeasurementSet.MatMulTableName, rows.MatMul.Select(r => (OfMatMul(r), r.Microseconds, r.Line))),
            Best(MeasurementSet.HotTableName(system), rows.HotMatMul.Select(r => (OfMatMul(r), r.Microseconds, r.Line))),
            Best(MeasurementSet.AttentionTableName, rows.Attention.Select(r => (OfAttention(r), r.Microseconds, r.Line))),
            Best(MeasurementSet.CollectiveTableName, rows.Collectives.Select(r => (OfCollective(r), r.Microseconds, r.Line))),
            Best(MeasurementSet.LayerTableName, rows.LayerMatMul.Select(r => (OfMatMul(r), r.Microseconds, r.Line))),
        }.OfType<(string, double, int)>();

        static (string Table, double Share, int Line)? Best(string table, IEnumerable<(double AtPeak, double Microseconds, int Line)> rows)
        {
            var large = rows.Where(r => r.AtPeak >= LargeMicroseconds).ToList();
            if (large.Count == 0)
                return null;
            var best = large.MaxBy(r => r.AtPeak / r.Microseconds);
            return (table, best.AtPeak / best.Microseconds, best.Line);
        }

        double OfMatMul(MatMulRow row) => AtPeak(2.0 * row.Rows * row.Columns * row.Depth, device.Compute.TeraflopsOf(row.Precision, row.Precision), checks.FromMemory(row));

        double OfAttention(AttentionRow row) => AtPeak(AttentionFit.ShapeOf(row).Flops, device.Compute.Bf16Teraflops, checks.FromMemory(row));

        double OfCollective(CollectiveRow row) =>
            CollectiveFit.LinkMicroseconds(row, CollectiveTable.KindOf(row.Operation)!.Value, device.ScaleUp.GigabytesPerSecondPerDirection);

        double AtPeak(double flops, double teraflops, double bytes) => Math.Max(flops / (teraflops * 1e6), bytes / (device.Hbm.NominalGigabytesPerSecond * 1e3));
    }

    /// <summary>Refuses constants at the bounds of their search where no roofline is: the longest fixed times and the lowest rates; and a band without the
    /// law's own time, for then the law is not that of the rows.</summary>
    /// <exception cref="CalibrationException">There is one.</exception>
    public void CheckConstants(DeviceCalibration calibration)
    {
        var (hbm, link, bf16) = (device.Hbm.NominalGigabytesPerSecond / 1000, device.ScaleUp.GigabytesPerSecondPerDirection, device.Compute.Bf16Teraflops);
        foreach (var (precision, streaming, tiled) in calibration.MatMul)
        {
            Check(
                MeasurementSet.MatMulTableName, ConstantKinds.OfMatMul(precision),
                [streaming.FixedMicroseconds, streaming.HotFixedMicroseconds, tiled.FixedMicroseconds, tiled.WaveMicroseconds],
                [streaming.SplitNanoseconds, streaming.HotSerialNanoseconds, tiled.SplitNanoseconds],
                [(streaming.HbmTerabytesPerSecond, hbm), (tiled.HbmTerabytesPerSecond, hbm), (tiled.Teraflops, device.Compute.TeraflopsOf(precision, precision))],
                streaming.Band, streaming.HotBand, tiled.Band);
        }
        if (calibration.Decode is { } decode)
        {
            Check(
                MeasurementSet.AttentionTableName, ConstantKinds.OfAttention(decode: true),
                [decode.FixedMicroseconds, decode.CombineMicroseconds, decode.RegroupMicroseconds], [decode.SplitNanoseconds, decode.TileNanoseconds],
                [(decode.HbmTerabytesPerSecond, hbm)], decode.Band);
        }
        if (calibration.Prefill is { } prefill)
        {
            Check(
                MeasurementSet.AttentionTableName, ConstantKinds.OfAttention(decode: false), [prefill.FixedMicroseconds], [],
                [(prefill.Teraflops, bf16), (prefill.TileTeraflops, bf16), (prefill.QueryTerabytesPerSecond, hbm), (prefill.KeyValueTerabytesPerSecond, hbm)], prefill.Band);
        }
        foreach (var (kind, fixedTime, row, rate, band) in calibration.SmallOperators)
            Check(MeasurementSet.LayerTableName, ConstantKinds.Of(kind), [fixedTime], [row], [(rate, hbm)], band);
        foreach (var collective in calibration.Collectives.Where(c => c.Algorithms.Count > 0))
        {
            // One algorithm may hold for small messages alone, which say little of its rate: the fastest counts.
            Check(
                MeasurementSet.CollectiveTableName, $"{Names.Collectives[collective.Kind]} {collective.Library} {collective.Ranks} ranks",
                [collective.Algorithms.Min(a => a.LatencyMicroseconds), collective.Eager?.LaunchMicroseconds ?? 0], [],
                [(collective.Algorithms.Max(a => a.GigabytesPerSecond), link)], collective.Band);
        }
    }

    private static void Check(
        string table, string kind, IEnumerable<double> microseconds, IEnumerable<double> nanoseconds, IEnumerable<(double Value, double Peak)> rates, params ResidualBand?[] bands)
    {
        if (microseconds.Any(t => t * Near >= Parameter.MostMicroseconds))
            throw Refused($"the fit of {kind} to {table} ends at the longest fixed time that is searched, {Parameter.MostMicroseconds} us", table);
        if (nanoseconds.Any(t => t * Near >= Parameter.MostNanoseconds))
            throw Refused($"the fit of {kind} to {table} ends at the longest time for an element that is searched, {Parameter.MostNanoseconds} ns", table);
        if (rates.Any(r => r.Value <= r.Peak * Parameter.LeastShareOfPeak * Near))
            throw Refused($"the fit of {kind} to {table} ends at the lowest rate that is searched, {100 * Parameter.LeastShareOfPeak} % of the peak", table);
        if (bands.FirstOrDefault(b => b is { Low: > 1 } or { High: < 1 }) is { } band)
            throw Refused($"the law that was fitted to {kind} of {table} is not that of its rows: four of five take {band.Low} to {band.High} times what it says", table);
    }

    private static CalibrationException Refused(FormattableString fault, string table) => new($"{fault.ToString(CultureInfo.InvariantCulture)}: {QuestionOf(table)}");
}
