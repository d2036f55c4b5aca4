using System;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>A planned step in a few values: what stands on a deployment's name. All but the band is the report's.</summary>
/// <param name="Step">The step, as the plan names it.</param>
/// <param name="Report">The report.</param>
/// <param name="Band">What four of five such steps take; null where less than half of it follows what was measured on the device.</param>
/// <param name="NotMeasured">What was not measured on a device of which something was: the band says nothing of it.</param>
/// <param name="PrefetchPays">Whether the plan prefetches, and is 1.0005 times as fast by it or more: what a speed-up of three decimals shows.</param>
/// <param name="Reason">The one reason that matters most.</param>
public sealed record StepSummary(string Step, PlanReport Report, TimeBand? Band, EquatableArray<string> NotMeasured, bool PrefetchPays, string Reason)
{
    /// <summary>Rounded to three decimals, as speed-ups are shown, it is above 1.</summary>
    private const decimal LeastSpeedup = 1.0005m;

    /// <summary>Whether the step is a prefill.</summary>
    public bool IsPrefill { get; init; }

    /// <summary>Whether a KV-cache in host memory is recomputed in part; null where it lives on the device, and of a prefill.</summary>
    public bool? SplitPays => Report.Split is { } split ? split.RecomputedTokens > 0 : null;

    /// <summary>Sums up a planned step, and runs it at the ends of the device's bands, which the report does not hold.</summary>
    /// <param name="planned">The step.</param>
    /// <param name="deployment">The deployment, as it was declared.</param>
    /// <param name="device">The device that it was planned for.</param>
    /// <param name="cancellationToken">Stops before the next run.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static StepSummary Of(PlannedStep planned, DeploymentSpec deployment, Device device, CancellationToken cancellationToken = default)
    {
        if (planned is null)
            throw new ArgumentNullException(nameof(planned));
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        var (plan, report) = (planned.Plan, planned.Report);
        // The simulated backend has run when it returns: there is nothing to await.
        var run = BandedRun.OfAsync(plan, plan.Step.MaxContext, device, new SimulationOptions(), cancellationToken).AsTask().GetAwaiter().GetResult();
        var band = run.BandOf(static r => r.Picoseconds);
        var prefetches = report.Windows.Any(w => w.Candidates.Any(c => c.PrefetchedBytes > 0));
        // The base plan recomputes nothing: where this one does, its own step without prefetches shows what they gain.
        var unprefetched = prefetches && report.Split is not null
            ? new PlanTimes(CostLaws.For(device), cancellationToken).Of(plan.WithoutPrefetch(), plan.Step.MaxContext)
            : prefetches ? report.BasePicoseconds : report.StepPicoseconds;
        var prefetchPays = prefetches && unprefetched >= LeastSpeedup * report.StepPicoseconds;
        return new StepSummary(
            plan.Step.ToString(), report, band, device.Calibration is null ? default : run.Unmeasured, prefetchPays,
            new SummaryReason(planned, deployment, device, unprefetched, prefetchPays).ToString())
        {
            IsPrefill = plan.Step is PrefillSpec,
        };
    }
}
