using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Plans the decode steps of a KV-cache in host memory: with everything transferred, and with the best split of either form, of
/// which it takes the one that the simulation finds fastest.</summary>
/// <remarks>The formulas price a layer alone; the simulation runs the whole step, with its event costs, its first and last layer, and
/// whatever else is on the link. A split that is slower than transferring everything at a context where its plan changes course is not taken.</remarks>
internal sealed class SplitPlanner(DeploymentSpec deployment, ICostLaws laws, CancellationToken cancellationToken)
{
    /// <summary>Ranges of contexts that a plan has splits of their own for: each breakpoint is proved, and timed.</summary>
    private const int MostPieces = 12;

    /// <summary>Samples of the recomputation's time: more would not move the split by a percent.</summary>
    private const int MostSamples = 256;

    /// <summary>Rows of a tile of a matmul's result: tokens of the batch beside it leave a part of one empty.</summary>
    private const int TileRows = 128;

    private readonly PlanTimes _times = new(laws, cancellationToken);
    private readonly Dictionary<DecodeSpec, StepDraft> _drafts = [];

    /// <summary>Plans a decode step, once.</summary>
    public StepDraft Plan(DecodeSpec step)
    {
        if (!_drafts.TryGetValue(step, out var draft))
            _drafts.Add(step, draft = Choose(step));
        return draft;
    }

    /// <summary>What a prefill stores for the declared decode steps that go on from it.</summary>
    public CacheSplit StoredBy(PrefillSpec prefill) => CacheSplit.Stored(deployment.Steps.OfType<DecodeSpec>()
        .Where(d => d.Batch == prefill.Batch && d.Prompt > 0 && d.Prompt <= prefill.Tokens)
        .Select(d => (Plan(d).Split!.Split, (StepSpec)d)).ToList());

    private StepDraft Choose(DecodeSpec step)
    {
        var decision = Decide(step);
        var draft = Planner.DraftPrefetched(deployment, step, laws, decision.Split, cancellationToken);
        // What is recomputed and what is prefetched share memory and links: together they may not be worse than prefetch alone.
        if (!decision.Split.IsNone && deployment.Prefetch != PrefetchPolicy.None)
        {
            var whole = Planner.DraftPrefetched(deployment, step, laws, CacheSplit.None, cancellationToken);
            if (step.GuardedContexts().Any(c => _times.Of(whole.Plan, c) < _times.Of(draft.Plan, c)))
            {
                draft = whole;
                decision = decision with { Outcome = SplitOutcome.NotFaster, Split = CacheSplit.None, Reason = "what is prefetched gains more where everything is transferred" };
            }
        }
        return draft with { Split = decision };
    }

    private SplitDecision Decide(DecodeSpec step)
    {
        var whole = Unprefetched(step, CacheSplit.None);
        var problems = deployment.Offload.Recompute == RecomputePolicy.None || step.ContextIsTotal ? [] : Problems(step);
        var none = new SplitDecision(SplitOutcome.NotAsked, CacheSplit.None, whole.Plan, null, 0, deployment.Offload.Recompute == RecomputePolicy.None
            ? "the deployment recomputes nothing"
            : "no layer keeps the first tokens of its prompt");
        if (problems.Count == 0)
            return none;
        var sizes = problems.Values.Select(p => p.Problem.Sizes(ActivationTransfer.Whole)).OrderBy(s => s.Ratio).First();
        none = none with { Outcome = SplitOutcome.CannotPay, Sizes = sizes, Reason = sizes.ToString() };
        if (!sizes.CanPay)
            return none;

        var contexts = step.GuardedContexts().ToList();
        var room = Math.Max(whole.Graph.ArenaBytes, laws.Device.MemoryBytes - new RankSizes(deployment).WeightBytes());
        var (best, least) = (CacheSplit.None, contexts.Sum(c => _times.Of(whole.Plan, c)));
        var fastest = long.MaxValue;
        foreach (var form in new[] { KvSplitForm.Sequential, KvSplitForm.Pipelined })
        {
            var split = Solve(form, problems, step);
            if (split.IsNone || Unprefetched(step, split) is var draft && draft.Graph.ArenaBytes > room)
                continue;
            var time = contexts.Sum(c => _times.Of(draft.Plan, c));
            fastest = Math.Min(fastest, _times.Of(draft.Plan, step.MaxContext));
            if (time < least && draft.Plan.CheckedContexts().All(c => _times.Of(draft.Plan, c) <= _times.Of(whole.Plan, c)))
                (best, least) = (split, time);
        }
        none = none with { Outcome = SplitOutcome.NotFaster, MostSparedBytes = MostSpared(problems, step) };
        var all = Time(_times.Of(whole.Plan, step.MaxContext));
        return best.IsNone
            ? none with { Reason = fastest == long.MaxValue ? "no split fits: its tiles are longer than the prompt, or its buffers than the memory" : $"the best split takes {Time(fastest)} a step, transferring everything {all}" }
            : none with
            {
                Outcome = best.Form == KvSplitForm.Sequential ? SplitOutcome.Sequential : SplitOutcome.Pipelined,
                Split = best,
                Reason = $"{sizes}; transferring everything takes {all} a step",
            };
    }

    private StepDraft Unprefetched(DecodeSpec step, CacheSplit split) =>
        Planner.DraftPrefetched(deployment with { Prefetch = PrefetchPolicy.None }, step, laws, split, cancellationToken);

    /// <summary>The problem of each kind of layer that keeps its prompt, by the prefix of its names, and how many such layers there are.</summary>
    private Dictionary<string, (KvSplitProblem Problem, int Layers)> Problems(DecodeSpec step)
    {
        var problems = new Dictionary<string, (KvSplitProblem Problem, int Layers)>();
        var rates = new ModelledRates(laws, deployment.Weights, deployment.Activations);
        var tile = TileRows / GreatestCommonDivisor(TileRows, step.Batch);
        tile *= ((step.Prompt - 1) / (tile * MostSamples)) + 1;
        var layers = deployment.Model.Stack.Sum(g => g.Repeat * g.Pattern.Count);
        var onDevice = PlanEmission.Emit(
            StepPlanner.Plan(deployment with { Offload = OffloadSpec.None }, step, PublishedRule.Nothing), deployment, laws.Device.PrefetchRoomBytes);
        var (first, last) = (_times.Of(onDevice, step.MinContext), _times.Of(onDevice, step.MaxContext));
        var perToken = step.MaxContext == step.MinContext ? 0 : Math.Max(last - first, 0) / (step.MaxContext - step.MinContext);
        foreach (var (spec, kind) in ModelLowering.NameKinds(deployment.Model).Select(k => (k.Key, k.Value)).OrderBy(k => k.Value, StringComparer.Ordinal))
        {
            if (spec.Attention is not MultiHeadAttentionSpec { Window: var window } || (window > 0 && window <= step.MaxContext))
                continue;
            var problem = KvSplitProblem.Of(rates, deployment, spec, step.Batch, step.Prompt, tile) with
            {
                Gather = null,
                OtherSeconds = Seconds(Math.Max(first - (perToken * step.MinContext), 0)),
                OtherSecondsPerToken = Seconds(perToken),
            };
            problems.Add(kind, (problem, deployment.Model.Stack.Sum(g => g.Repeat * g.Pattern.Count(l => l.Equals(spec)))));
        }
        return problems;

        Rational Seconds(long picoseconds) => new(picoseconds, 1_000_000_000_000L * layers);
    }

    /// <summary>The best split of a form in each of some ranges of contexts, as it is in the range's middle.</summary>
    private static CacheSplit Solve(KvSplitForm form, Dictionary<string, (KvSplitProblem Problem, int Layers)> problems, DecodeSpec step)
    {
        var contexts = step.MaxContext - step.MinContext + 1;
        var pieces = Math.Min(MostPieces, contexts);
        var tokens = new Dictionary<string, Amount>();
        foreach (var kind in problems)
        {
            if (kind.Value.Problem.Prompt == 0)
                continue;
            var solver = new KvSplitSolver(kind.Value.Problem);
            Amount split = 0;
            for (var i = 0; i < pieces; i++)
            {
                var from = step.MinContext + (int)((long)contexts * i / pieces);
                var to = step.MinContext + (int)((long)contexts * (i + 1) / pieces) - 1;
                var best = solver.Solve(form, ActivationTransfer.Whole, from + ((to - from) / 2)).Tokens;
                split = i == 0 ? best : Amount.WhereNotNegative(Amount.Context - from, best, split);
            }
            tokens.Add(kind.Key, split);
        }
        return new CacheSplit(form, tokens);
    }

    private static long MostSpared(Dictionary<string, (KvSplitProblem Problem, int Layers)> problems, DecodeSpec step) => problems.Values.Sum(p =>
    {
        var sizes = p.Problem.Sizes(ActivationTransfer.Whole);
        return sizes.CanPay ? (long)((sizes.KeyValueBytesOfRank - sizes.ActivationBytes) * Math.Min(step.Prompt, step.MaxContext) * p.Layers).Ceiling() : 0;
    });

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);

    private static string Time(long picoseconds) => (picoseconds / 1_000_000_000m).ToString("#,0.000", CultureInfo.InvariantCulture) + " ms";
}
