using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Fits the constants of one library's collective for one number of ranks.</summary>
/// <param name="device">The device.</param>
/// <param name="library">The library.</param>
/// <param name="kind">The collective.</param>
/// <param name="ranks">Ranks that take part.</param>
/// <param name="general">The general library of the same machine, which takes what this one does not; null where there is none.</param>
internal sealed class CollectiveFit(Device device, string library, CollectiveKind kind, int ranks, CollectiveCalibration? general)
{
    private const int Starts = 24;

    private static readonly ResidualBand s_none = new(1, 1);

    private readonly double _link = device.ScaleUp.GigabytesPerSecondPerDirection;

    private Parameter[] TreeParameters => [Parameter.Microseconds(10), new Parameter(4, 1e-3, 100), Parameter.Rate(_link, 0.3)];

    private Parameter[] LowLatencyRingParameters => [Parameter.Microseconds(20), Parameter.Rate(_link, 0.5)];

    private Parameter[] FullRateRingParameters => [Parameter.Microseconds(40), Parameter.Rate(_link, 0.8)];

    private Parameter[] GeneralParameters => [.. TreeParameters, .. LowLatencyRingParameters, .. FullRateRingParameters];

    /// <summary>Of one ring alone, where the sizes are too few to tell two.</summary>
    private Parameter[] MergedParameters => [.. TreeParameters, .. FullRateRingParameters];

    private Parameter[] CustomParameters =>
        [Parameter.Microseconds(4), Parameter.Rate(_link, 0.5), Parameter.Microseconds(10), Parameter.Rate(_link, 0.7)];

    private Parameter[] EagerParameters => [Parameter.Microseconds(20), Parameter.MemoryRate(device.Hbm)];

    /// <summary>Whether a library has collectives for every size and topology, by its name: NCCL, RCCL, oneCCL and their like call
    /// themselves collective communication libraries. Others add kernels for the small messages of one machine.</summary>
    public static bool IsGeneral(string library) => library.Contains("CCL", StringComparison.OrdinalIgnoreCase);

    /// <summary>The constants that fit the rows best, and the ratios that cross-validation leaves. Constants are null where the rows are
    /// too few to tell them, and those of eager calls alone where the rows of such calls are.</summary>
    /// <param name="rows">The rows, of captured graphs and of eager calls.</param>
    /// <param name="lacking">Takes what the rows lack.</param>
    public (CollectiveCalibration? Constants, List<double> Ratios) Fit(IReadOnlyList<CollectiveRow> rows, ICollection<string> lacking)
    {
        var graph = rows.Where(r => r.Launch == LaunchMode.Graph).ToList();
        var eager = rows.Where(r => r.Launch == LaunchMode.Eager).ToList();
        if (!Enough(graph, (IsGeneral(library) ? MergedParameters : CustomParameters).Length, "", lacking))
            return (null, []);
        var (constants, ratios) = IsGeneral(library) ? FitGeneral(graph) : FitCustom(graph);
        if (eager.Count > 0 && Enough(eager, EagerParameters.Length, " eager", lacking))
        {
            var (launch, eagerRatios) = FitEager(constants, eager);
            constants = constants with { Eager = launch };
            ratios.AddRange(eagerRatios);
        }
        return (constants, ratios);
    }

    private bool Enough(List<CollectiveRow> rows, int constants, string launch, ICollection<string> lacking)
    {
        var lack = MessageSizes.Lacking(rows, constants, r => LinkMicroseconds(r, kind, _link));
        if (lack is not null)
            lacking.Add($"{Names.Collectives[kind]} {library} {ranks} ranks{launch} {lack}");
        return lack is null;
    }

    /// <summary>Bytes of the operation of a row: of an all-gather, one rank's part.</summary>
    public static double OperationBytes(CollectiveRow row) => row.Operation == CollectiveTable.AllGather ? (double)row.Bytes / row.Ranks : row.Bytes;

    /// <summary>What the link takes for a row's message at its full rate, in two shots or a ring.</summary>
    public static double LinkMicroseconds(CollectiveRow row, CollectiveKind kind, double gigabytesPerSecond) =>
        CalibratedCollectiveLaw.ReceivedBytes(CollectiveAlgorithmName.TwoShot, kind, OperationBytes(row), row.Ranks) / (gigabytesPerSecond * 1e3);

    /// <summary>A chunked tree for small messages, and two rings: with the low-latency protocol and with the one of full rate, which are one where the
    /// sizes are fewer than the constants of both. A ring cannot receive faster than the link; where the last one would have to, the switch reduces.</summary>
    private (CollectiveCalibration Constants, List<double> Ratios) FitGeneral(IReadOnlyList<CollectiveRow> rows)
    {
        var two = MessageSizes.Doubling(rows) >= GeneralParameters.Length;
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
                two ? GeneralParameters : MergedParameters,
                v => Calibration(
                    null,
                    [
                        new CalibratedAlgorithm(CollectiveAlgorithmName.Tree, v[0], v[1], v[2]),
                        .. two ? new[] { new CalibratedAlgorithm(CollectiveAlgorithmName.Ring, v[3], 0, v[4]) } : [],
                        new CalibratedAlgorithm(last, v[^2], 0, v[^1]),
                    ]));
            return (fit, fit.Fit(rows, Starts));
        }
    }

    /// <summary>One shot and two shots, up to a size that the rows or the library's sources give, or up to any where nothing is known that
    /// takes larger messages.</summary>
    private (CollectiveCalibration Constants, List<double> Ratios) FitCustom(IReadOnlyList<CollectiveRow> rows)
    {
        (RelativeFit<CollectiveRow, CollectiveCalibration> Fit, FitResult<CollectiveCalibration> Best)? found = null;
        var sizes = rows.Select(r => (long?)r.Bytes).Distinct().Where(b => b >= 65_536).OrderDescending();
        var limits = general is null ? [null] : sizes.Prepend(LibraryLimits.LargestBytes(library, ranks));
        foreach (var largest in limits)
        {
            var fit = FitOf(
                CustomParameters,
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
            new(library, kind, ranks, algorithms, largest, general?.Library, null, s_none);
    }

    private (EagerLaunch Launch, List<double> Ratios) FitEager(CollectiveCalibration constants, IReadOnlyList<CollectiveRow> rows)
    {
        var fit = FitOf(
            EagerParameters,
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
