using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Fits the constants of one library's collective for one number of ranks.</summary>
/// <param name="device">The device.</param>
/// <param name="library">The library.</param>
/// <param name="kind">The collective.</param>
/// <param name="ranks">Ranks that take part.</param>
/// <param name="general">The general library of the same machine, which takes what this one does not; null for that library itself.</param>
internal sealed class CollectiveFit(Device device, string library, CollectiveKind kind, int ranks, CollectiveCalibration? general)
{
    private const int Starts = 24;

    private static readonly ResidualBand s_none = new(1, 1);

    private readonly double _link = device.ScaleUp.GigabytesPerSecondPerDirection;

    /// <summary>The constants that fit the rows best, and the ratios that cross-validation leaves.</summary>
    public (CollectiveCalibration Constants, List<double> Ratios) Fit(IReadOnlyList<CollectiveRow> rows)
    {
        var graph = rows.Where(r => r.Launch == LaunchMode.Graph).ToList();
        var eager = rows.Where(r => r.Launch == LaunchMode.Eager).ToList();
        var (constants, ratios) = general is null ? FitGeneral(graph) : FitCustom(graph, general);
        if (eager.Count > 0)
        {
            var (launch, eagerRatios) = FitEager(constants, eager);
            constants = constants with { Eager = launch };
            ratios.AddRange(eagerRatios);
        }
        return (constants, ratios);
    }

    /// <summary>Bytes of the operation of a row: of an all-gather, one rank's part.</summary>
    public static double OperationBytes(CollectiveRow row) => row.Operation == CollectiveTable.AllGather ? (double)row.Bytes / row.Ranks : row.Bytes;

    /// <summary>A chunked tree for small messages, and two rings: with the low-latency protocol and with the one of full rate. A ring
    /// cannot receive faster than the link; where the last one would have to, the switch reduces.</summary>
    private (CollectiveCalibration Constants, List<double> Ratios) FitGeneral(IReadOnlyList<CollectiveRow> rows)
    {
        var ring = Fit(CollectiveAlgorithmName.Ring);
        if (kind == CollectiveKind.AllReduce)
        {
            var multicast = Fit(CollectiveAlgorithmName.Multicast);
            if (multicast.Best.Loss < 0.9 * ring.Best.Loss)
                ring = multicast;
        }
        return Finish(ring.Fit, ring.Best, rows);

        (RelativeFit<CollectiveRow, CollectiveCalibration> Fit, FitResult<CollectiveCalibration> Best) Fit(CollectiveAlgorithmName last)
        {
            var fit = FitOf(
                [
                    Parameter.Microseconds(10), new Parameter(4, 1e-3, 100), Parameter.Rate(_link, 0.3),
                    Parameter.Microseconds(20), Parameter.Rate(_link, 0.5),
                    Parameter.Microseconds(40), Parameter.Rate(_link, 0.8),
                ],
                v => Calibration(
                    null,
                    new CalibratedAlgorithm(CollectiveAlgorithmName.Tree, v[0], v[1], v[2]),
                    new CalibratedAlgorithm(CollectiveAlgorithmName.Ring, v[3], 0, v[4]),
                    new CalibratedAlgorithm(last, v[5], 0, v[6])));
            return (fit, fit.Fit(rows, Starts));
        }
    }

    /// <summary>One shot and two shots, up to a size that the rows or the library's sources give.</summary>
    private (CollectiveCalibration Constants, List<double> Ratios) FitCustom(IReadOnlyList<CollectiveRow> rows, CollectiveCalibration fallback)
    {
        (RelativeFit<CollectiveRow, CollectiveCalibration> Fit, FitResult<CollectiveCalibration> Best)? found = null;
        var sizes = rows.Select(r => (long?)r.Bytes).Distinct().Where(b => b >= 65_536).OrderDescending();
        foreach (var largest in new[] { LibraryLimits.LargestBytes(library, ranks) }.Concat(sizes))
        {
            var fit = FitOf(
                [Parameter.Microseconds(4), Parameter.Rate(_link, 0.5), Parameter.Microseconds(10), Parameter.Rate(_link, 0.7)],
                v => Calibration(
                    largest,
                    new CalibratedAlgorithm(CollectiveAlgorithmName.OneShot, v[0], 0, v[1]),
                    new CalibratedAlgorithm(CollectiveAlgorithmName.TwoShot, v[2], 0, v[3])));
            var best = fit.Fit(rows, Starts);
            // Another limit than the published one has to be seen in the rows.
            if (found is null || best.Loss < 0.9 * found.Value.Best.Loss)
                found = (fit, best);
        }
        return Finish(found!.Value.Fit, found.Value.Best, rows);

        CollectiveCalibration Calibration(long? largest, params CalibratedAlgorithm[] algorithms) =>
            new(library, kind, ranks, algorithms, largest, fallback.Library, null, s_none);
    }

    private (EagerLaunch Launch, List<double> Ratios) FitEager(CollectiveCalibration constants, IReadOnlyList<CollectiveRow> rows)
    {
        var fit = FitOf(
            [Parameter.Microseconds(20), Parameter.MemoryRate(device.Hbm)],
            v => constants with { Eager = new EagerLaunch(v[0], v[1]) });
        var best = fit.Fit(rows);
        var launch = best.Constants.Eager!;
        return (
            new EagerLaunch(Rounded.Digits(launch.LaunchMicroseconds), Rounded.AtMost(launch.CopyTerabytesPerSecond, device.Hbm.SustainedGigabytesPerSecond / 1000)),
            fit.CrossValidatedRatios(rows, best, EachSize(rows)));
    }

    /// <summary>Each size but the least and the largest is a fold.</summary>
    private static IEnumerable<List<CollectiveRow>> EachSize(IReadOnlyList<CollectiveRow> rows) =>
        rows.GroupBy(r => r.Bytes).OrderBy(g => g.Key).Skip(1).SkipLast(1).Select(g => g.ToList());

    private RelativeFit<CollectiveRow, CollectiveCalibration> FitOf(Parameter[] parameters, Func<double[], CollectiveCalibration> make) =>
        new(parameters, make, (c, r) => Microseconds(c, r), r => r.Microseconds);

    private double Microseconds(CollectiveCalibration constants, CollectiveRow row) =>
        KernelTime.Picoseconds(CalibratedCollectiveLaw.Demand(constants, general, OperationBytes(row), row.Launch), 0, 0) / 1e6;

    private CollectiveCalibration Calibration(long? largest, params CalibratedAlgorithm[] algorithms) =>
        new(library, kind, ranks, algorithms, largest, null, null, s_none);

    private (CollectiveCalibration Constants, List<double> Ratios) Finish(
        RelativeFit<CollectiveRow, CollectiveCalibration> fit, FitResult<CollectiveCalibration> best, IReadOnlyList<CollectiveRow> rows)
    {
        var ratios = fit.CrossValidatedRatios(rows, best, EachSize(rows));
        var constants = best.Constants;
        // An algorithm that is never taken has constants of no meaning.
        var used = constants.Algorithms
            .Where(a => rows.Any(r => Math.Abs(Microseconds(constants with { Algorithms = new[] { a } }, r) - Microseconds(constants, r)) < 1e-9))
            .Select(a => new CalibratedAlgorithm(
                a.Name,
                Rounded.OrZero(a.LatencyMicroseconds),
                Rounded.OrZero(a.ChunkMicroseconds),
                Rounded.AtMost(a.GigabytesPerSecond, _link)))
            .ToArray();
        return (constants with { Algorithms = used }, ratios);
    }
}
