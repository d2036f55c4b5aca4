using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>The one reason that matters most for what a planned step gains, or does not.</summary>
/// <param name="planned">The step.</param>
/// <param name="deployment">The deployment as it was declared.</param>
/// <param name="device">The device that it was planned for.</param>
/// <param name="unprefetched">Picoseconds of the plan without its prefetches.</param>
/// <param name="prefetchPays">Whether its prefetches gain what a speed-up shows.</param>
internal sealed class SummaryReason(PlannedStep planned, DeploymentSpec deployment, Device device, long unprefetched, bool prefetchPays)
{
    private readonly PlanReport _report = planned.Report;

    /// <summary>Of a cache in host memory the split's, where the link makes the bound or the split gains most. Else what keeps every prefetch away, or makes
    /// the step longer with them or hardly shorter; then where the gain comes from, where more bytes are prefetched than left, and why most of them are left where they are fewer.</summary>
    public override string ToString()
    {
        if (_report.Split is { } split && (BoundByHostLink || SplitGain > PrefetchGain))
            return split.Reason;
        if (PrefetchHindrance.Of(planned.Plan.Step, deployment) is { Reason: var hindrance })
            return hindrance + (IsTakenBack && BoundByHostLink ? ", and the host link makes the bound" : "");
        if (device.UnknownL2 is { } unknown)
            return unknown;
        if (_report.Guard is { Outcome: GuardOutcome.Refused, LowPicoseconds: { } low, HighPicoseconds: { } high })
            return Text($"all prefetches together gain {low / 1e6:#,0.0} to {high / 1e6:#,0.0} us, which is not sure to be a gain");

        var prefetched = PrefetchedBytes();
        if (prefetched.Count > 0 && !prefetchPays)
            return PrefetchGain > 0 ? $"all prefetches together save {Microseconds(PrefetchGain)}, less than a speed-up of three decimals shows" : Loss();
        var left = Remainders(prefetched);
        if (left.Count == 0 && prefetched.Count == 0)
            return "no kernel leaves memory idle for long enough to prefetch beside it";
        if (prefetched.Values.Sum() >= left.Sum(r => r.Bytes))
            return Gain();
        var (_, window, limit) = left.OrderByDescending(r => r.Bytes).First();
        return $"{(prefetched.Count > 0 ? "what is left" : "what could be prefetched")}, most of it {limit.Tensor.Tensor} beside {window.Host}: {limit.Reason}";
    }

    private bool BoundByHostLink => _report.BoundBy.StartsWith(LowerBound.HostLink, StringComparison.Ordinal);

    /// <summary>Whether the planner took the policy back.</summary>
    private bool IsTakenBack => planned.Plan.Policy != deployment.Prefetch;

    private long PrefetchGain => unprefetched - _report.StepPicoseconds;

    private long SplitGain => _report.BasePicoseconds - unprefetched;

    private string Gain()
    {
        var best = _report.Windows.OrderByDescending(w => w.SavedPicoseconds).First();
        return best.SavedPicoseconds > 0
            ? $"most is saved beside {best.Host}, {Microseconds(best.SavedPicoseconds)}"
            : $"all prefetches together save {Microseconds(PrefetchGain)}, those of no window alone do";
    }

    private string Loss()
    {
        var worst = _report.Windows.OrderBy(w => w.SavedPicoseconds).First();
        return worst.SavedPicoseconds < 0 ? $"what is prefetched beside {worst.Host} costs {Microseconds(-worst.SavedPicoseconds)}"
            : PrefetchGain < 0 ? $"all prefetches together cost {Microseconds(-PrefetchGain)}, those of no window alone do"
            : "what is prefetched saves nothing";
    }

    /// <summary>What is prefetched of each layer's tensor, in whatever windows.</summary>
    private Dictionary<(string Tensor, int Layer), long> PrefetchedBytes()
    {
        var prefetched = new Dictionary<(string Tensor, int Layer), long>();
        foreach (var window in _report.Windows)
        {
            foreach (var candidate in window.Candidates.Where(c => c.PrefetchedBytes > 0))
            {
                foreach (var tensor in TensorsOf(candidate, window))
                {
                    prefetched.TryGetValue(tensor, out var before);
                    prefetched[tensor] = before + candidate.PrefetchedBytes;
                }
            }
        }
        return prefetched;
    }

    /// <summary>What no window brings of the tensors of each name, all layers together, with the window and the candidate that say why: those where most
    /// of it is prefetched, else those of most layers.</summary>
    private List<(long Bytes, WindowReport Window, CandidateReport Limit)> Remainders(Dictionary<(string Tensor, int Layer), long> prefetched)
    {
        var limits = _report.Windows.SelectMany(w => w.Candidates.Where(IsLimited), (w, c) => (Window: w, Limit: c));
        var left = new List<(long Bytes, WindowReport Window, CandidateReport Limit)>();
        foreach (var limited in limits.GroupBy(l => l.Limit.Tensor.Tensor, StringComparer.Ordinal))
        {
            var bytes = limited.SelectMany(l => TensorsOf(l.Limit, l.Window), (l, tensor) => (Tensor: tensor, l.Limit.Bytes)).GroupBy(t => t.Tensor)
                .Sum(t => Math.Max(0, t.First().Bytes - (prefetched.TryGetValue(t.Key, out var brought) ? brought : 0)));
            var (window, limit) = limited.OrderByDescending(l => LayersOf(l.Window).Count() * l.Limit.PrefetchedBytes).ThenByDescending(l => LayersOf(l.Window).Count()).First();
            if (bytes > 0)
                left.Add((bytes, window, limit));
        }
        return left;
    }

    /// <summary>Whether something keeps more of it away: what another window brings as well, and what nobody asks for, nothing does.</summary>
    private static bool IsLimited(CandidateReport candidate) => candidate.Verdict is not (Verdict.Whole or Verdict.NotAsked or Verdict.OtherWindow);

    private static IEnumerable<(string Tensor, int Layer)> TensorsOf(CandidateReport candidate, WindowReport window) =>
        LayersOf(window).Select(layer => (candidate.Tensor.Tensor, candidate.Tensor.Layer.Resolve(layer)));

    /// <summary>The layers that a window stands in; of one outside the stack, -1.</summary>
    private static IEnumerable<int> LayersOf(WindowReport window)
    {
        var count = window.Stride == 0 ? 1 : ((window.LastLayer - window.FirstLayer) / window.Stride) + 1;
        return Enumerable.Range(0, count).Select(i => window.FirstLayer + (i * window.Stride));
    }

    /// <summary>Exact where tenths would show next to nothing.</summary>
    private static string Microseconds(long picoseconds) => (picoseconds / 1_000_000m).ToString(picoseconds < 100_000 ? "0.000000" : "#,0.0", CultureInfo.InvariantCulture) + " us";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
