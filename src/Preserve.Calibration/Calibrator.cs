using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Fits the constants of a device's cost laws to measured times.</summary>
/// <remarks>One shape in four stays out of the fit, all its rows together, by a hash of the shape, and all rows of the layers of Llama-2-70B
/// and of prompts of one token. What those rows then show is the law's accuracy. Fewer rows than <see cref="LeastRows"/> of a kind leave it to the nominal law.</remarks>
public static class Calibrator
{
    /// <summary>Rows below which a kind is not fitted.</summary>
    public const int LeastRows = 12;

    /// <summary>The largest part of a table's rows that may be dropped. The published tables lose 1 row in 200 at most; rows of another
    /// machine than the one that they are said to be of break its bounds by the hundred.</summary>
    public const double MostDropped = 0.1;

    /// <summary>Weights of fewer bytes are partly resident in the tables, however they are rotated.</summary>
    internal const double LeastColdBytes = 10e6;

    /// <summary>Fits the constants of a device.</summary>
    /// <param name="measurements">The measured times.</param>
    /// <param name="system">The name under which they were measured.</param>
    /// <param name="device">The device: its rates on paper bound the constants.</param>
    /// <param name="multiprocessors">Its multiprocessors.</param>
    /// <param name="command">The command, for whoever reads the constants.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">No row is of that system.</exception>
    /// <exception cref="CalibrationException">More than <see cref="MostDropped"/> of a table's rows cannot be of the device, or its times are in another unit.</exception>
    public static CalibrationResult Calibrate(MeasurementSet measurements, string system, Device device, int multiprocessors, string command)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(command);
        ArgumentOutOfRangeException.ThrowIfLessThan(multiprocessors, 1);

        var rows = SystemRows.Of(measurements, system, device);
        if (rows.Tables(system).FirstOrDefault(t => t.Dropped > MostDropped * t.Rows) is { } table)
        {
            throw new CalibrationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{table.Dropped:#,0} of {table.Rows:#,0} rows of '{system}' in {table.Table} cannot be of {device.Id}, more than {100 * MostDropped:0} %; the first is {rows.Dropped.First(d => d.Table == table.Table)}. Is it the device that was measured, and {TimeUnit.QuestionOf(table.Table)}"));
        }
        if (measurements.RowsOf(system) == 0)
            throw new ArgumentException($"no table has a row of '{system}'; there are {string.Join(", ", measurements.Systems)}", nameof(system));
        var unit = new TimeUnit(device, system);
        unit.CheckShares(rows);
        var seen = rows.Fitted;
        var sustained = SustainedMemory.Of(seen, system, device);
        if (sustained is { Memory: var memory })
            device = device with { Hbm = memory };
        var attention = new AttentionFit(device, multiprocessors);
        var decode = seen.Attention.Where(r => r.Decode).ToList();
        var prefill = seen.Attention.Where(r => !r.Decode).ToList();
        var lacking = new List<string>();
        var calibration = new DeviceCalibration(
            command,
            multiprocessors,
            Tables: default,
            FitMatMul(seen, device, multiprocessors, lacking),
            decode.Count < LeastRows ? null : attention.FitDecode(decode),
            prefill.Count < LeastRows ? null : attention.FitPrefill(prefill),
            FitSmallOperators(seen, device),
            FitCollectives(seen, device, lacking),
            HostTransfer: device.Calibration?.HostTransfer);
        unit.CheckConstants(calibration);
        calibration = calibration with { Tables = rows.UsedBy(calibration).Tables(system).Where(t => t.Rows > t.Dropped).ToArray() };
        var calibrated = device with { Calibration = calibration };
        return new CalibrationResult(calibration, calibrated, sustained?.Source, rows.Dropped, rows.Unused, [.. lacking, .. NotFitted(seen, calibration)], ConstantKinds.Missing(device.Calibration, calibration), Validator.Validate(rows, system, calibrated));
    }

    /// <summary>What rows of attention and of small operators were there for that made no constants.</summary>
    private static List<string> NotFitted(SystemRows seen, DeviceCalibration calibration)
    {
        var kinds = new List<string>();
        Add(ConstantKinds.OfAttention(decode: true), seen.Attention.Count(r => r.Decode), calibration.Decode is not null);
        Add(ConstantKinds.OfAttention(decode: false), seen.Attention.Count(r => !r.Decode), calibration.Prefill is not null);
        foreach (var rows in seen.SmallOperators.GroupBy(r => r.Kind).OrderBy(g => g.Key))
            Add(ConstantKinds.Of(rows.Key), rows.Count(), calibration.SmallOperators.Any(o => o.Operator == rows.Key));
        return kinds;

        void Add(string kind, int rows, bool fitted)
        {
            if (rows > 0 && !fitted)
                kinds.Add($"{kind} has {rows} rows to fit, but needs {LeastRows}");
        }
    }

    /// <summary>Large rows are those of many rows of activations, small ones those of few, with weights too large to be resident; small resident ones
    /// have weights that the L2 keeps.</summary>
    private static MatMulCalibration[] FitMatMul(SystemRows rows, Device device, int multiprocessors, List<string> lacking)
    {
        var fits = new List<MatMulCalibration>();
        foreach (var precision in new[] { Precision.Bf16, Precision.Fp8, Precision.Int8 })
        {
            var own = rows.MatMul.Where(r => r.Precision == precision).ToList();
            var small = own.Where(r => r.Rows <= MatMulShape.MostStreamedRows).ToList();
            var cold = small.Where(r => WeightBytes(r) >= LeastColdBytes).ToList();
            var ofLayers = rows.LayerMatMul
                .Where(r => r.Precision == precision && r.Rows <= MatMulShape.MostStreamedRows && WeightBytes(r) >= LeastColdBytes).ToList();
            var large = own.Where(r => r.Rows > MatMulShape.MostStreamedRows).ToList();
            var hot = rows.HotMatMul
                .Where(r => r.Precision == precision && r.Rows <= MatMulShape.MostStreamedRows && WeightBytes(r) <= device.Residency.FullBytes).ToList();
            double? l2 = null;
            if (hot.Count < LeastRows)
            {
                // The six rotated copies of small weights stay resident together: too small to tell the L2's rate, but not the fixed costs.
                hot = small.Where(r => RowChecks.RotatedWeights * WeightBytes(r) <= device.Residency.FullBytes).ToList();
                l2 = fits.Count > 0 ? fits[0].Streaming.L2TerabytesPerSecond : device.L2.ReadTerabytesPerSecond;
            }
            var lacks = new (int Count, string Size)[] { (cold.Count, "small"), (large.Count, "large"), (hot.Count, "small resident") }.Where(l => l.Count < LeastRows).ToList();
            if (lacks.Count > 0 && (own.Count > 0 || hot.Count > 0 || ofLayers.Count > 0))
                lacking.Add($"{ConstantKinds.OfMatMul(precision)} has {string.Join(", ", lacks.Select(l => $"{l.Count} {l.Size}"))} rows to fit, but needs {LeastRows}{(lacks.Count > 1 ? " of each" : "")}");
            if (lacks.Count == 0)
                fits.Add(new MatMulFit(device, multiprocessors, precision).Fit(cold, ofLayers, hot, large, l2));
        }
        return fits.ToArray();
    }

    private static SmallOperatorConstants[] FitSmallOperators(SystemRows rows, Device device)
    {
        var fit = new SmallOperatorFit(device);
        return rows.SmallOperators.GroupBy(r => r.Kind).OrderBy(g => g.Key).Where(g => g.Count() >= LeastRows).Select(g => fit.Fit(g.Key, g.ToList())).ToArray();
    }

    /// <summary>The general libraries first: the others leave large messages to the first of them. The band is that of all groups of a
    /// kind: one has too few rows to tell.</summary>
    private static CollectiveCalibration[] FitCollectives(SystemRows rows, Device device, List<string> lacking)
    {
        var found = new List<CollectiveCalibration>();
        foreach (var kind in new[] { CollectiveKind.AllReduce, CollectiveKind.AllGather, CollectiveKind.ReduceScatter })
        {
            var ratios = new List<double>();
            var ofKind = new List<CollectiveCalibration>();
            var groups = rows.Collectives.Where(r => CollectiveTable.KindOf(r.Operation) == kind).GroupBy(r => (r.Library, r.Ranks))
                .OrderBy(g => !CollectiveFit.IsGeneral(g.Key.Library)).ThenBy(g => g.Key.Library, StringComparer.Ordinal).ThenBy(g => g.Key.Ranks);
            foreach (var group in groups)
            {
                var general = CollectiveFit.IsGeneral(group.Key.Library)
                    ? null
                    : ofKind.FirstOrDefault(c => c.Ranks == group.Key.Ranks && CollectiveFit.IsGeneral(c.Library));
                var (constants, left) = new CollectiveFit(device, group.Key.Library, kind, group.Key.Ranks, general).Fit(group.ToList(), lacking);
                if (constants is null)
                    continue;
                ofKind.Add(constants);
                ratios.AddRange(left);
            }
            var band = Residuals.Band(ratios);
            found.AddRange(ofKind.Select(c => c with { Band = band }));
        }
        return found.ToArray();
    }

    internal static double WeightBytes(MatMulRow row) => (double)row.Columns * row.Depth * row.Precision.Bits() / 8;
}
