using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Tells what a plan gives, at the largest context it serves: its times are runs of the executor on the hardware model.</summary>
internal sealed class ReportBuilder(DeploymentSpec deployment, StepDraft draft, ICostLaws laws, CancellationToken cancellationToken)
{
    private readonly Graph _graph = draft.Graph;
    private readonly ExecutionPlan _plan = draft.Plan;
    private readonly int _context = draft.Plan.Step.MaxContext;
    private readonly Executor _executor = ExecutorOn(laws, timeline: false), _recorder = ExecutorOn(laws, timeline: true);
    private readonly SearchVerdicts? _verdicts = draft.Choice is { } choice ? new SearchVerdicts(choice, laws, cancellationToken) : null;

    public PlanReport Build()
    {
        var unprefetched = _plan.WithoutPrefetch();
        var basePlan = draft.Split?.BasePlan ?? unprefetched;
        var baseRun = Run(basePlan);
        var run = Run(_plan);
        var (baseLayers, layersRun) = _graph.Windows.Count > 0
            ? (Run(ShortenedPlan.Of(unprefetched), timeline: true), Run(ShortenedPlan.Of(_plan), timeline: true))
            : (baseRun, run);
        var bound = LowerBound.Of(draft.Split?.BasePlan ?? _plan, _context, laws, draft.Split?.MostSparedBytes ?? 0);
        var prefetched = PrefetchedRanges.Of(_graph, LayersOf, _context);
        var windows = new List<WindowReport>();
        var reachable = 0L;
        var occurrences = LastOccurrences();
        foreach (var window in _graph.Windows)
        {
            var layers = LayersOf(window.Host);
            var times = layers.Stride == 0 ? 1 : ((layers.Last - layers.First) / layers.Stride) + 1;
            var (baseHost, host) = (Occurrence(baseLayers, window.Host, occurrences), Occurrence(layersRun, window.Host, occurrences));
            var report = Window(window, layers, run, (baseLayers, baseHost), (layersRun, host), prefetched);
            // Of a kernel beside which nothing is prefetched, because other windows bring all of it, nothing is to be told.
            if (window.Host.IsCollective || report.Candidates.Any(c => c.PrefetchedBytes > 0 || c.Verdict != Verdict.Whole))
                windows.Add(report);
            if (window.Host.IsCollective)
                reachable += times * Reachable(window, TimeOf(window, baseLayers, baseHost));
        }
        var sizes = new RankSizes(deployment);
        var hasCollectives = _graph.Operators.Exists(o => o.IsCollective);
        return new PlanReport(
            baseRun.Picoseconds, run.Picoseconds, bound.Picoseconds, bound.BoundBy, baseRun.CollectiveExposedPicoseconds, reachable, run.PrefetchElsewherePicoseconds,
            sizes.WeightBytes(), sizes.KeyValueBytes(_plan.Step), windows.ToArray())
        {
            GainAtHalfPicoseconds = hasCollectives ? GainWithCollectives(basePlan, 0.5) : baseRun.Picoseconds - run.Picoseconds,
            GainAtTwicePicoseconds = hasCollectives ? GainWithCollectives(basePlan, 2) : baseRun.Picoseconds - run.Picoseconds,
            Split = draft.Split is null ? null : Split(draft.Split),
            Guard = draft.Guard,
            Pauses = draft.Pauses,
        };
    }

    private SplitReport Split(SplitDecision decision) => new(
        decision.Outcome,
        _plan.RecomputedTokens(_context),
        decision.Sizes is { } sizes ? (long)sizes.ActivationBytes.Ceiling() : 0,
        decision.Sizes is { } both ? (long)both.KeyValueBytes.Ceiling() : 0,
        decision.Reason);

    private long GainWithCollectives(ExecutionPlan basePlan, double factor)
    {
        var times = new PlanTimes(new ScaledCollectiveLaws(laws, factor), cancellationToken);
        return times.Of(basePlan, _context) - times.Of(_plan, _context);
    }

    private WindowReport Window(
        PrefetchWindow window, (int First, int Last, int Stride) layers, StepRun run, (StepRun Run, InstructionRun Host) before, (StepRun Run, InstructionRun Host) after,
        PrefetchedRanges prefetched)
    {
        var host = after.Host;
        var hidden = after.Run.Timeline
            .Where(r => r.Stream == StreamKind.Prefetch)
            .Sum(r => Math.Max(0, Math.Min(r.EndPicoseconds, host.EndPicoseconds) - Math.Max(r.StartPicoseconds, host.StartPicoseconds)));
        var prefetches = new HashSet<Instruction>(_graph.Operators.Where(o => ReferenceEquals(o.Window, window.Host)).Select(PlanEmission.Emit));
        var saved = prefetches.Count == 0 ? 0 : Run(_plan.WithoutPrefetch(prefetches.Contains)).Picoseconds - run.Picoseconds;
        return new WindowReport(
            window.Host.Label, layers.First, layers.Last, layers.Stride, host.Picoseconds, hidden, saved,
            window.Candidates.Where(c => window.Reaches(c) || c.Reach == PrefetchReach.Beside || c.Chosen is not null)
                .Select(c => Candidate(c, window.Host, layers, prefetched, (TimeOfReader(c, before.Run, before.Host), TimeOfReader(c, after.Run, after.Host)))).ToArray());
    }

    /// <summary>The time of the reader that comes next; behind the last layers, of that in the next step.</summary>
    private static long TimeOfReader(PrefetchCandidate candidate, StepRun run, InstructionRun host)
    {
        var readers = run.Timeline.Where(r => r.Label == candidate.Operator.Label).ToList();
        var next = readers.FindIndex(r => r.StartPicoseconds >= host.StartPicoseconds);
        return readers[Math.Max(next, 0)].Picoseconds;
    }

    private CandidateReport Candidate(
        PrefetchCandidate candidate, GraphOperator host, (int First, int Last, int Stride) layers, PrefetchedRanges ranges, (long Base, long Plan) reader)
    {
        var bytes = candidate.Bytes.At(_context);
        var prefetched = candidate.Prefetched.At(_context);
        var room = candidate.Room.At(_context);
        var (verdict, reason) = candidate switch
        {
            _ when _plan.Policy == PrefetchPolicy.None => (Verdict.NotAsked, "the policy prefetches nothing"),
            _ when laws.Device.UnknownL2 is { } unknown => (Verdict.L2Unknown, unknown),
            { Considered: false } when deployment.PrefetchTargets != PrefetchTargets.Both && candidate.IsMatrixOrCache => (Verdict.NotAsked, "the deployment does not let it be prefetched"),
            { Considered: false } => (Verdict.NotAsked, "the policy prefetches matrices and the KV-cache only"),
            _ when _verdicts is not null => _verdicts.Of(candidate, host, ranges.Elsewhere(candidate, layers.Last), reader, draft.Guard),
            _ when prefetched == bytes => (Verdict.Whole, Text($"fits the {room:#,0} bytes of L2 that are left")),
            _ when room >= 0 => (Verdict.NoRoom, Text($"needs {bytes:#,0} bytes, {room:#,0} of L2 are left")),
            _ => (Verdict.Stopped, "the policy stops at the first tensor that does not fit"),
        };
        // In a window of one layer there is no i: the layer itself is named.
        var tensor = layers.First >= 0 && layers.First == layers.Last
            ? candidate.Tensor with { Layer = candidate.Tensor.Layer.Kind == LayerIndexKind.Relative ? LayerIndex.Of(candidate.Tensor.Layer.Resolve(layers.First)) : candidate.Tensor.Layer }
            : candidate.Tensor;
        return new CandidateReport(tensor.ToReference(), bytes, prefetched, verdict, reason);
    }

    /// <summary>What the bytes that memory can bring under this collective save where their readers save most: those that the window, the candidates
    /// and the room allow, each read at its reader's rate from the L2 and not from HBM.</summary>
    private long Reachable(PrefetchWindow window, long windowPicoseconds)
    {
        if (!laws.Device.L2Known)
            return 0;
        var readers = window.Candidates.Where(c => window.Reaches(c)).Select(c => ReaderSaving.Of(c.Operator, c.Tensor.Tensor.Name, c.Bytes.At(_context), laws, _context));
        return (long)ReaderSaving.Most(readers, Math.Min(windowPicoseconds * laws.HbmBytesPerPicosecond, _plan.PrefetchRoomBytes));
    }

    /// <summary>Time of the collective, and of the all-gather behind it where both are halves of one.</summary>
    private static long TimeOf(PrefetchWindow window, StepRun run, InstructionRun collective)
    {
        var time = collective.Picoseconds;
        if (!window.HasSecondHalf)
            return time;
        var gather = run.Timeline.First(r => r.Stream == StreamKind.Collective && r.StartPicoseconds >= collective.EndPicoseconds);
        return time + gather.Picoseconds;
    }

    /// <summary>The run of an operator, in the last of the layers that it stands in.</summary>
    private static InstructionRun Occurrence(StepRun run, GraphOperator op, Dictionary<GraphOperator, int> occurrences) =>
        run.Timeline.Where(r => r.Label == op.Label).ElementAt(occurrences[op]);

    /// <summary>Of the runs of each operator's label in a shortened plan, which is its own last one: kinds of layers may share labels.</summary>
    private Dictionary<GraphOperator, int> LastOccurrences()
    {
        var (last, counts) = (new Dictionary<GraphOperator, int>(), new Dictionary<string, int>(StringComparer.Ordinal));
        for (var first = 0; first < _graph.Operators.Count;)
        {
            var fold = _graph.Folds.FirstOrDefault(f => f.FirstOperator == first);
            var (count, times) = fold is null ? (1, 1) : (fold.OperatorCount, Math.Min(fold.Count, ShortenedPlan.MostIterations));
            for (var iteration = 0; iteration < times; iteration++)
            {
                foreach (var op in _graph.Operators.Skip(first).Take(count))
                {
                    counts.TryGetValue(op.Label, out var before);
                    (last[op], counts[op.Label]) = (before, before + 1);
                }
            }
            first += count;
        }
        return last;
    }

    private (int First, int Last, int Stride) LayersOf(GraphOperator collective)
    {
        if (collective.Layer < 0)
            return (-1, -1, 0);
        var index = _graph.Operators.IndexOf(collective);
        var fold = _graph.Folds.FirstOrDefault(f => index >= f.FirstOperator && index < f.FirstOperator + f.OperatorCount);
        return fold is null
            ? (collective.Layer, collective.Layer, 0)
            : (collective.Layer, collective.Layer + ((fold.Count - 1) * fold.Stride), fold.Stride);
    }

    private StepRun Run(ExecutionPlan any, bool timeline = false) =>
        // The simulated backend has run when it returns: there is nothing to await.
        (timeline ? _recorder : _executor).RunAsync(any, _context, cancellationToken).AsTask().GetAwaiter().GetResult();

    private static Executor ExecutorOn(ICostLaws laws, bool timeline) =>
        new(new SimulatedBackend(laws.Device, new SimulationOptions { RecordTimeline = timeline, CostLaws = _ => laws }));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
