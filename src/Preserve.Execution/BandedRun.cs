using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Preserve;

/// <summary>A modelled step, and how far each of its times is to be trusted.</summary>
/// <remarks>Each law states the band of its residuals. The kinds of kernels were fitted apart, so their errors are taken as independent of
/// each other, and those of one kind, which repeat in every layer, as common to all: the step is run once with each kind at each end of
/// its band, and the deviations of a time are added as the sides of a right angle are. A time of which the larger part follows what was not
/// measured has no band: that of its smaller part says nothing of it.</remarks>
public sealed class BandedRun
{
    private readonly StepRun _wider;
    private readonly StepRun? _slower;
    private readonly IReadOnlyList<(StepRun Fast, StepRun Slow)> _kinds;

    private BandedRun(StepRun run, StepRun wider, StepRun? slower, IReadOnlyList<(StepRun Fast, StepRun Slow)> kinds, EquatableArray<string> unmeasured)
    {
        (Run, _wider, _slower, _kinds, Unmeasured) = (run, wider, slower, kinds, unmeasured);
    }

    /// <summary>The step, as the model has it.</summary>
    public StepRun Run { get; }

    /// <summary>What of the plan was not measured on the device, as <see cref="MeasurementCoverage.Unmeasured"/> names it: it adds nothing to any band.</summary>
    public EquatableArray<string> Unmeasured { get; }

    /// <summary>The part of a time that follows what was measured, from 0 to 1: by how much of itself it grows with all measured kernels, and with events and prefetches. 1 where
    /// everything was measured, 0 where nothing was.</summary>
    /// <param name="time">The time, of any run of the plan, in picoseconds.</param>
    /// <exception cref="ArgumentNullException"><paramref name="time"/> is null.</exception>
    public double MeasuredShare(Func<StepRun, long> time)
    {
        if (time is null)
            throw new ArgumentNullException(nameof(time));
        if (_kinds.Count == 0)
            return 0;
        return _slower is null ? 1 : SlowerMeasuredLaws.ShareOf(time(Run), time(_slower));
    }

    /// <summary>Between what a time of the step lies in four of five measured steps; null where less than half of it follows what was measured
    /// on the device.</summary>
    /// <param name="time">The time, of any run of the plan, in picoseconds.</param>
    /// <exception cref="ArgumentNullException"><paramref name="time"/> is null.</exception>
    public TimeBand? BandOf(Func<StepRun, long> time)
    {
        if (time is null)
            throw new ArgumentNullException(nameof(time));
        if (_kinds.Count == 0 || MeasuredShare(time) < SlowerMeasuredLaws.LeastShare)
            return null;
        var (nominal, wider) = (time(Run), time(_wider));
        double faster = 0, slower = 0;
        foreach (var (fast, slow) in _kinds)
        {
            double low = wider - time(fast), high = time(slow) - nominal;
            faster += low > 0 ? low * low : 0;
            slower += high > 0 ? high * high : 0;
        }
        // Nothing that was measured moves it: of a time, unless there is none, nothing is known then.
        if (faster == 0 && slower == 0 && nominal > 0)
            return null;
        // A difference of times can shrink by more than itself; a time cannot.
        return new TimeBand(Math.Max(0, nominal - (long)Math.Sqrt(faster)), nominal + (long)Math.Sqrt(slower));
    }

    /// <summary>Runs a step on the model of a device, and on the models at the ends of its bands.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">Tokens cached before the step, in the unit of the plan's step.</param>
    /// <param name="device">The device.</param>
    /// <param name="options">How it runs, and what every run records.</param>
    /// <param name="cancellationToken">Stops the runs.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static async ValueTask<BandedRun> OfAsync(ExecutionPlan plan, int context, Device device, SimulationOptions options, CancellationToken cancellationToken = default)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        if (options is null)
            throw new ArgumentNullException(nameof(options));
        var laws = options.CostLaws(device);
        var coverage = MeasurementCoverage.Of(plan, laws);
        var measured = coverage.Measured;
        var run = await RunAsync(laws).ConfigureAwait(false);
        // At the fast end memory serves more at once, so that a kernel can be faster: what that alone gains is no kernel's doing.
        var wider = measured.Count == 0 ? run : await RunAsync(new PerturbedCostLaws(laws, null, slow: false)).ConfigureAwait(false);
        var slower = measured.Count == 0 || coverage.Unmeasured.Count == 0 ? null : await RunAsync(new SlowerMeasuredLaws(laws)).ConfigureAwait(false);
        var kinds = new List<(StepRun, StepRun)>();
        foreach (var kind in measured)
        {
            kinds.Add((
                await RunAsync(new PerturbedCostLaws(laws, kind, slow: false)).ConfigureAwait(false),
                await RunAsync(new PerturbedCostLaws(laws, kind, slow: true)).ConfigureAwait(false)));
        }
        return new BandedRun(run, wider, slower, kinds, coverage.Unmeasured);

        ValueTask<StepRun> RunAsync(ICostLaws any)
        {
            var backend = new SimulatedBackend(device, options with { CostLaws = _ => any });
            return new Executor(backend).RunAsync(plan, context, cancellationToken);
        }
    }
}

/// <summary>Between what a modelled time lies with 80 %.</summary>
/// <param name="LowPicoseconds">The fast end.</param>
/// <param name="HighPicoseconds">The slow end.</param>
public readonly record struct TimeBand(long LowPicoseconds, long HighPicoseconds);
