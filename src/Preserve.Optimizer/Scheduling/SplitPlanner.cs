using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Plans the decode steps of a KV-cache in host memory: with everything transferred, with the best split of either form, and with
/// some between them, of which it takes the one that the simulation finds fastest.</summary>
/// <remarks>The formulas price a layer alone; the simulation runs the whole step, with its event costs, its first and last layer, and
/// whatever else is on the link. In a range of contexts in which a split is slower than transferring everything, where its plan changes course,
/// it recomputes nothing.</remarks>
internal sealed class SplitPlanner(DeploymentSpec deployment, ICostLaws laws, CancellationToken cancellationToken)
{
    /// <summary>Ranges of contexts that a plan has splits of their own for: each breakpoint is proved, and timed.</summary>
    private const int MostPieces = 6;

    /// <summary>Most samples of the recomputation's time: a long prompt has larger tiles, so that the solver's work does not grow with it.</summary>
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
            if (step.SampledContexts().Any(c => _times.Of(whole.Plan, c) < _times.Of(draft.Plan, c)))
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
        var transfers = Transfers(problems);
        var sizes = problems.Values.SelectMany(p => transfers.Select(p.Problem.Sizes)).OrderBy(s => s.Ratio).First();
        none = none with { Outcome = SplitOutcome.CannotPay, Sizes = sizes, Reason = sizes.ToString() };
        if (!sizes.CanPay)
            return none;

        var search = new SplitSearch(this, step, whole, problems);
        foreach (var transfer in transfers)
            search.Try(transfer);
        var best = search.Best();
        none = none with { Outcome = SplitOutcome.NotFaster, MostSparedBytes = MostSpared(problems, step) };
        return best.IsNone
            ? none with { Reason = search.WhyNot() }
            : none with
            {
                Outcome = best.Form switch { KvSplitForm.Sequential => SplitOutcome.Sequential, KvSplitForm.Pipelined => SplitOutcome.Pipelined, _ => SplitOutcome.Between },
                Split = best,
                Sizes = sizes = problems.Values.Select(p => p.Problem.Sizes(best.Activations)).OrderBy(s => s.Ratio).First(),
                Reason = $"{sizes}; transferring everything takes {Time(_times.Of(whole.Plan, step.MaxContext))} at {step.MaxContext} cached tokens{search.Shortage(best)}",
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
            if (!KvSplitProblem.KeepsPrompt(spec, step.MaxContext))
                continue;
            var problem = KvSplitProblem.Of(rates, deployment, spec, step.Batch, step.Prompt, tile) with
            {
                OtherSeconds = Seconds(Math.Max(first - (perToken * step.MinContext), 0)),
                OtherSecondsPerToken = Seconds(perToken),
            };
            problems.Add(kind, (problem, deployment.Model.Stack.Sum(g => g.Repeat * g.Pattern.Count(l => l.Equals(spec)))));
        }
        return problems;

        Rational Seconds(long picoseconds) => new(picoseconds, 1_000_000_000_000L * layers);
    }

    /// <summary>How activations may reach the ranks; once some were stored in one way, they are all. Gathered, each rank has a part of the columns.</summary>
    private ActivationTransfer[] Transfers(Dictionary<string, (KvSplitProblem Problem, int Layers)> problems)
    {
        if (_drafts.Values.Select(d => d.Split!.Split).FirstOrDefault(s => !s.IsNone) is { } earlier)
            return [earlier.Activations];
        // Parts of the columns are stored apart: of 4-bit ones, each needs whole groups.
        var (hidden, ranks, stored) = (deployment.Model.Hidden, deployment.TensorParallel, deployment.Offload.StoredActivations);
        return problems.Values.All(p => p.Problem.Gather is not null) && hidden % ranks == 0 && stored.CachedBytes(hidden / ranks) * ranks == stored.CachedBytes(hidden)
            ? [ActivationTransfer.Whole, ActivationTransfer.Gathered]
            : [ActivationTransfer.Whole];
    }

    private static long MostSpared(Dictionary<string, (KvSplitProblem Problem, int Layers)> problems, DecodeSpec step) => problems.Values.Sum(p =>
    {
        var sizes = p.Problem.Sizes(p.Problem.Gather is null ? ActivationTransfer.Whole : ActivationTransfer.Gathered);
        return sizes.CanPay ? (long)((sizes.KeyValueBytesOfRank - (sizes.ActivationBytes / sizes.Links)) * Math.Min(step.Prompt, step.MaxContext) * p.Layers * p.Problem.Batches).Ceiling() : 0;
    });

    /// <summary>Times splits, and keeps the one that takes least: those of both forms, and those between them.</summary>
    /// <remarks>The sequential form hides too little of the transfers, the pipelined one hides all of them and leaves out what it cannot: a
    /// gathering before the recomputation, the first layer. What is best lies between.</remarks>
    private sealed class SplitSearch
    {
        private readonly SplitPlanner _planner;
        private readonly DecodeSpec _step;
        private readonly StepDraft _whole;
        private readonly Dictionary<string, (KvSplitProblem Problem, int Layers)> _problems;
        private readonly List<int> _contexts;
        private readonly long _room;
        private readonly List<Trial> _tried = [];
        private readonly Dictionary<ActivationTransfer, int> _mostTokens = [];
        private string? _short;

        public SplitSearch(SplitPlanner planner, DecodeSpec step, StepDraft whole, Dictionary<string, (KvSplitProblem Problem, int Layers)> problems)
        {
            (_planner, _step, _whole, _problems) = (planner, step, whole, problems);
            _contexts = step.SampledContexts().ToList();
            var sizes = new RankSizes(planner.Deployment);
            _room = Math.Max(whole.Graph.ArenaBytes, planner.Laws.Device.MemoryBytes - (sizes.WeightBytes() - sizes.HostWeightBytes()));
        }

        /// <summary>Of the splits that were tried, the one that takes least over some contexts, and at none more than transferring everything. One that
        /// takes more in some ranges of contexts recomputes nothing there, and keeps what it gains in the others.</summary>
        public CacheSplit Best()
        {
            var times = _planner._times;
            var whole = _contexts.Sum(c => times.Of(_whole.Plan, c));
            Trial? best = null;
            // No less than this is left when it is mended.
            foreach (var (tried, least) in _tried.Select(t => (Trial: t, Least: _contexts.Sum(c => Math.Min(times.Of(t.Plan, c), times.Of(_whole.Plan, c))))).OrderBy(t => t.Least))
            {
                if (least >= (best?.Time ?? whole))
                    break;
                if (Mended(tried) is { } trial && trial.Time < (best?.Time ?? whole))
                    best = trial;
            }
            return best?.Split ?? CacheSplit.None;
        }

        /// <summary>A split without the ranges in which it is slower than transferring everything; null where nothing is left of it.</summary>
        private Trial? Mended(Trial tried)
        {
            var trial = tried;
            while (trial is not null)
            {
                var slower = trial.Plan.CheckedContexts().Where(c => _planner._times.Of(trial.Plan, c) > _planner._times.Of(_whole.Plan, c)).ToList();
                if (slower.Count == 0)
                    return trial;
                // With nothing recomputed in a range, events and copies of the others may still cost something there.
                var tokens = trial.Tokens.ToDictionary(t => t.Key, t => t.Value.Select((l, i) => slower.Any(c => IsIn(c, i, t.Value.Length)) ? 0 : l).ToArray());
                trial = tokens.All(t => t.Value.SequenceEqual(trial.Tokens[t.Key])) ? null : Timed(tokens, trial.Split.Activations, trial.Split.Form);
            }
            return null;
        }

        private bool IsIn(int context, int piece, int pieces) => context >= From(piece, pieces) && context < From(piece + 1, pieces);

        /// <summary>Why none was taken.</summary>
        public string WhyNot()
        {
            if (_tried.Count > 0)
            {
                var fastest = _tried.Min(t => _planner._times.Of(t.Plan, _step.MaxContext));
                var whole = _planner._times.Of(_whole.Plan, _step.MaxContext);
                return $"the best split takes {SplitPlanner.Time(fastest)} at {_step.MaxContext} cached tokens, transferring everything {SplitPlanner.Time(whole)}{(fastest < whole ? ", and it is slower with fewer cached" : "")}";
            }
            var tile = _problems.Values.Min(p => p.Problem.Tile);
            if (_short is not null)
                return $"{_short} has no room for the activations of {tile} tokens, the fewest that fill the tiles of the recomputation";
            return tile > _step.Prompt
                ? $"{tile} tokens fill the tiles of the recomputation, and the prompt has {_step.Prompt}"
                : $"{tile} tokens, the fewest that fill the tiles of the recomputation, take longer to make again than to transfer";
        }

        /// <summary>What the memory has room for, where more would have been recomputed; nothing where all had room.</summary>
        public string Shortage(CacheSplit split) => _mostTokens.TryGetValue(split.Activations, out var most)
            ? $"; {_short} has room for the activations of {most.ToString("#,0", CultureInfo.InvariantCulture)} tokens"
            : "";

        /// <summary>Tries the splits of one way in which activations reach the ranks.</summary>
        public void Try(ActivationTransfer transfer)
        {
            var sequential = Solve(KvSplitForm.Sequential, transfer);
            var pipelined = Solve(KvSplitForm.Pipelined, transfer);
            // Quarters of the way: an end, the other, the middle, and the quarter beside the better end.
            var first = Time(sequential, transfer, KvSplitForm.Sequential);
            var last = Time(pipelined, transfer, KvSplitForm.Pipelined);
            if (sequential.All(s => s.Value.SequenceEqual(pipelined[s.Key])))
                return;
            Time(Between(sequential, pipelined, 2), transfer, null);
            Time(Between(sequential, pipelined, first <= last ? 1 : 3), transfer, null);
        }

        /// <summary>Tokens of each kind of layer in each of some ranges of contexts: the best of a form in the range's middle.</summary>
        private Dictionary<string, int[]> Solve(KvSplitForm form, ActivationTransfer transfer)
        {
            var tokens = new Dictionary<string, int[]>();
            foreach (var kind in _problems)
            {
                if (kind.Value.Problem.Prompt == 0 || !kind.Value.Problem.Sizes(transfer).CanPay)
                    continue;
                var solver = new KvSplitSolver(kind.Value.Problem);
                // A collective has one size at every context.
                var best = new int[transfer == ActivationTransfer.Gathered ? 1 : Math.Min(MostPieces, _step.MaxContext - _step.MinContext + 1)];
                for (var i = 0; i < best.Length; i++)
                {
                    var (from, next) = (From(i, best.Length), From(i + 1, best.Length));
                    best[i] = solver.Solve(form, transfer, from + ((next - 1 - from) / 2)).Tokens;
                }
                tokens.Add(kind.Key, best);
            }
            return tokens;
        }

        private int From(int piece, int pieces) => _step.MinContext + (int)((_step.MaxContext - _step.MinContext + 1L) * piece / pieces);

        private Dictionary<string, int[]> Between(Dictionary<string, int[]> first, Dictionary<string, int[]> last, int quarters)
        {
            var between = new Dictionary<string, int[]>();
            foreach (var kind in first)
            {
                var tile = _problems[kind.Key].Problem.Tile;
                between.Add(kind.Key, kind.Value.Select((f, i) => (int)((((4L - quarters) * f) + ((long)quarters * last[kind.Key][i])) / 4 / tile) * tile).ToArray());
            }
            return between;
        }

        /// <summary>The time over the contexts, of as many of the tokens as there is room for; the largest there is where nothing is recomputed.</summary>
        private long Time(Dictionary<string, int[]> tokens, ActivationTransfer transfer, KvSplitForm? form)
        {
            if (Fitted(tokens, transfer, form) is not { } trial)
                return long.MaxValue;
            _tried.Add(trial);
            return trial.Time;
        }

        /// <summary>A split, or where it does not fit, the same with no more tokens than there is room for; null where nothing is recomputed then.</summary>
        private Trial? Fitted(Dictionary<string, int[]> tokens, ActivationTransfer transfer, KvSplitForm? form)
        {
            var most = tokens.Values.SelectMany(t => t).DefaultIfEmpty(0).Max();
            if (_mostTokens.TryGetValue(transfer, out var known))
                most = Math.Min(most, known);
            if (most == 0)
                return null;
            if (Timed(AtMost(tokens, most), transfer, form) is { } whole)
                return whole;
            Trial? fitted = null;
            var tile = _problems.Values.Min(p => p.Problem.Tile);
            var (fits, fails) = (0, most / tile);
            while (fails - fits > 1)
            {
                var middle = fits + ((fails - fits) / 2);
                if (Timed(AtMost(tokens, middle * tile), transfer, form) is { } trial)
                    (fits, fitted) = (middle, trial);
                else
                    fails = middle;
            }
            _mostTokens[transfer] = Math.Max(known, fits * tile);
            return fitted;
        }

        private static Dictionary<string, int[]> AtMost(Dictionary<string, int[]> tokens, int most) =>
            tokens.ToDictionary(t => t.Key, t => t.Value.Select(l => Math.Min(l, most)).ToArray());

        /// <summary>The plan of a split and its time over the contexts; null where nothing is recomputed or it does not fit.</summary>
        private Trial? Timed(Dictionary<string, int[]> tokens, ActivationTransfer transfer, KvSplitForm? form)
        {
            var amounts = new Dictionary<string, Amount>();
            foreach (var kind in tokens)
            {
                Amount split = kind.Value[0];
                for (var i = 1; i < kind.Value.Length; i++)
                    split = Amount.WhereNotNegative(Amount.Context - From(i, kind.Value.Length), kind.Value[i], split);
                amounts.Add(kind.Key, split);
            }
            var candidate = new CacheSplit(form, amounts) { Activations = transfer };
            if (candidate.IsNone)
                return null;
            var draft = _planner.Unprefetched(_step, candidate);
            if (WhereShort(draft) is { } place)
            {
                _short = place;
                return null;
            }
            return new Trial(candidate, tokens, draft.Plan, _contexts.Sum(c => _planner._times.Of(draft.Plan, c)));
        }

        /// <summary>The memory that a plan does not fit; null where it fits.</summary>
        private string? WhereShort(StepDraft draft)
        {
            if (draft.Graph.ArenaBytes > _room)
                return "the device's memory";
            return _planner.Laws.Device.HostMemoryBytes is { } host && PlanFootprint.Of(draft.Plan, _step.MaxContext).HostBytes > host / draft.Plan.Ranks
                ? "the host's memory"
                : null;
        }

        /// <summary>A split that was planned and timed, with the tokens of each kind of layer in each range of contexts.</summary>
        private sealed record Trial(CacheSplit Split, Dictionary<string, int[]> Tokens, ExecutionPlan Plan, long Time);
    }

    private ICostLaws Laws => laws;

    private DeploymentSpec Deployment => deployment;

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);

    private static string Time(long picoseconds) => (picoseconds / 1_000_000_000m).ToString("#,0.000", CultureInfo.InvariantCulture) + " ms";
}
