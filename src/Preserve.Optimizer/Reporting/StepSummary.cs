using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>A planned step in a few values: what stands on a deployment's name. All but the band is the report's.</summary>
/// <param name="Step">The step, as the plan names it.</param>
/// <param name="Report">The report.</param>
/// <param name="Band">What four of five such steps take; null where nothing of the device was measured.</param>
/// <param name="NotMeasured">Kinds of kernels that the band says nothing of, where there is one.</param>
/// <param name="PrefetchPays">Whether the plan prefetches, and gains by it.</param>
/// <param name="Reason">The one reason that matters most.</param>
public sealed record StepSummary(string Step, PlanReport Report, TimeBand? Band, EquatableArray<string> NotMeasured, bool PrefetchPays, string Reason)
{
    /// <summary>Whether a KV-cache in host memory is recomputed in part; null where it lives on the device, and of a prefill.</summary>
    public bool? SplitPays => Report.Split is { } split ? split.RecomputedTokens > 0 : null;

    /// <summary>Sums up a planned step, and runs it at the ends of the device's bands, which the report does not hold.</summary>
    /// <param name="planned">The step.</param>
    /// <param name="device">The device that it was planned for.</param>
    /// <param name="cancellationToken">Stops before the next run.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static StepSummary Of(PlannedStep planned, Device device, CancellationToken cancellationToken = default)
    {
        if (planned is null)
            throw new ArgumentNullException(nameof(planned));
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        var (plan, report) = (planned.Plan, planned.Report);
        // The simulated backend has run when it returns: there is nothing to await.
        var run = BandedRun.OfAsync(plan, plan.Step.MaxContext, device, new SimulationOptions(), cancellationToken).AsTask().GetAwaiter().GetResult();
        var band = run.BandOf(static r => r.Picoseconds);
        var prefetches = report.Windows.Any(w => w.Candidates.Any(c => c.PrefetchedBytes > 0));
        return new StepSummary(
            plan.Step.ToString(), report, band, band is null ? default : run.Unmeasured,
            prefetches && report.StepPicoseconds < report.BasePicoseconds, ReasonOf(plan, report, device));
    }

    /// <summary>Of a cache in host memory the link's: nothing else takes as long. Else where the gain comes from, where more bytes are prefetched than left,
    /// and why the largest of them is left where they are fewer.</summary>
    private static string ReasonOf(ExecutionPlan plan, PlanReport report, Device device)
    {
        if (report.Split is { } split)
            return split.Reason;
        if (plan.Policy == PrefetchPolicy.None)
            return "the policy prefetches nothing";
        if (!device.L2Known)
            return $"the L2 of {device.Id} is not known";
        switch (report.Guard)
        {
            case { Outcome: GuardOutcome.Refused, LowPicoseconds: { } low, HighPicoseconds: { } high }:
                return Text($"all prefetches together gain {low / 1e6:#,0.0} to {high / 1e6:#,0.0} us, which is not sure to be a gain");
            case { Outcome: GuardOutcome.SlowerElsewhere }:
                return "what gains at the largest context costs time at a smaller one";
        }

        var prefetched = report.Windows.Sum(w => Layers(w) * w.Candidates.Sum(c => c.PrefetchedBytes));
        var left = new List<(CandidateReport Candidate, long Bytes)>();
        foreach (var window in report.Windows)
            left.AddRange(window.Candidates.Where(c => c.Verdict is not (Verdict.Whole or Verdict.NotAsked)).Select(c => (c, Layers(window) * (c.Bytes - c.PrefetchedBytes))));
        if (left.Count == 0 && prefetched == 0)
            return "no kernel leaves memory idle for long enough to prefetch beside it";
        if (prefetched >= left.Sum(l => l.Bytes))
        {
            var best = report.Windows.OrderByDescending(w => w.SavedPicoseconds).First();
            return Text($"most is saved beside {best.Host}, {best.SavedPicoseconds / 1e6:#,0.0} us");
        }
        var largest = left.OrderByDescending(l => l.Bytes).First().Candidate;
        return $"{largest.Tensor.Tensor}: {largest.Reason}";
    }

    /// <summary>How many layers a window stands in; one outside the stack counts as one.</summary>
    private static long Layers(WindowReport window) => window.Stride == 0 ? 1 : ((window.LastLayer - window.FirstLayer) / window.Stride) + 1;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
