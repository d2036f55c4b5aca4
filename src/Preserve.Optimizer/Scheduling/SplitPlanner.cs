using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Plans the decode steps of a KV-cache in host memory: with everything transferred, with the best split of either form, and with
/// some between them, of which it takes the one that the simulation finds fastest. And the prefills that store what they recompute from.</summary>
/// <remarks>The formulas price a layer alone; the simulation runs the whole step, with its event costs, its first and last layer, and
/// whatever else is on the link. In a range of contexts in which a split is slower than transferring everything, where its plan changes course,
/// it recomputes nothing.</remarks>
internal sealed class SplitPlanner(DeploymentSpec deployment, ICostLaws laws, CancellationToken cancellationToken)
{
    /// <summary>Most samples of the recomputation's time: a long prompt has larger tiles, so that the solver's work does not grow with it.</summary>
    private const int MostSamples = 256;

    /// <summary>Fewest samples where the prompt has as many tokens: of a small or an odd batch few splits fill their tiles, and with a finer one a step may be
    /// shorter though the last tile is not full. The sampled time tells.</summary>
    private const int FewestSamples = 32;

    /// <summary>Rows of a tile of a matmul's result: tokens of the batch beside it leave a part of one empty.</summary>
    private const int TileRows = 128;

    /// <summary>Times that a split is taken back in ranges of contexts where prefetches gain more without it: each is another search for prefetches.</summary>
    private const int MostMendings = 2;

    /// <summary>Times that the gain of a generation's decode steps is what its prefill loses, from where on storing less is not looked at.</summary>
    private const int ClearGain = 8;

    private readonly PlanTimes _times = new(laws, cancellationToken);
    private readonly Dictionary<DecodeSpec, StepDraft> _drafts = [];
    private readonly Dictionary<(StepSpec, CacheSplit), StepDraft> _unprefetched = [];
    private readonly Dictionary<(StepSpec, CacheSplit), StepDraft> _prefetched = [];
    private readonly List<(PrefillSpec Step, CacheSplit Stored, StepDraft Draft)> _prefills = [];

    /// <summary>Plans a decode step, once.</summary>
    public StepDraft Plan(DecodeSpec step)
    {
        if (!_drafts.TryGetValue(step, out var draft))
            _drafts.Add(step, draft = Choose(step));
        return draft;
    }

    /// <summary>Plans a prefill, which stores what the declared decode steps that go on from it recompute at most.</summary>
    public StepDraft Plan(PrefillSpec prefill) => Storing(prefill, CacheSplit.Stored(deployment.Steps.OfType<DecodeSpec>()
        .Where(d => d.Batch == prefill.Batch && d.Prompt > 0 && d.Prompt <= prefill.Tokens)
        .Select(d => (Plan(d).Split!.Split, (StepSpec)d)).ToList()));

    private StepDraft Choose(DecodeSpec step)
    {
        var decision = Decide(step);
        var draft = Chosen(step, decision);
        if (!draft.Split!.Split.IsNone)
        {
            draft = deployment.Steps.OfType<PrefillSpec>().FirstOrDefault(p => p.Batch == step.Batch && p.Tokens == step.Prompt) is { } prefill
                ? Weighed(step, prefill, decision, draft)
                : Said(draft, $"a prefill stores {StoredBytes(step, draft)} bytes of activations for it");
        }
        return draft with { Split = draft.Split! with { Reason = draft.Split.Reason + draft.Split.Room?.ShortageOf(draft.Split.Split, step) } };
    }

    private StepDraft Chosen(DecodeSpec step, SplitDecision decision)
    {
        var draft = Prefetched(step, decision.Split);
        return decision.Split.IsNone || deployment.Prefetch == PrefetchPolicy.None ? draft with { Split = decision } : Joined(step, decision, draft);
    }

    /// <summary>What is best of a declared generation: what its decode steps gain over all its lengths, less what its prefill takes longer to store the
    /// activations. Where that is a loss, or a large part of the gain, halves are tried, and nothing is recomputed where each is a loss.</summary>
    private StepDraft Weighed(DecodeSpec step, PrefillSpec prefill, SplitDecision decision, StepDraft draft)
    {
        var transferred = Prefetched(step, CacheSplit.None);
        var check = new ContextCheck(transferred.Plan, _times);
        var prefillLoss = new PrefillLoss(step, stored => Storing(prefill, stored).Plan, transferred.Plan, _times);
        var loss = prefillLoss.Of(draft);
        var gain = prefillLoss.GainOf(draft, enough: loss * ClearGain);
        if (gain >= loss * ClearGain)
            return WithPrefill(draft, loss);
        var reason = $"storing {StoredBytes(step, draft)} bytes of activations takes the prefill {Time(loss)} longer, and the decode steps gain {Time(gain)}";
        (StepDraft Draft, long Loss, long Net)? best = gain > loss ? (draft, loss, gain - loss) : null;
        var tile = TileOf(step);
        for (var tiles = SampledTime.Tiles(tile, draft.Split!.Split.MostTokens(step)) / 2; tiles > 0; tiles /= 2)
        {
            var smaller = Chosen(step, decision with { Split = decision.Split.AtMost(tiles * tile), Outcome = SplitOutcome.Between });
            if (smaller.Split!.Split.IsNone || check.Losses(smaller.Plan).Count > 0)
                continue;
            var less = prefillLoss.Of(smaller);
            gain = prefillLoss.GainOf(smaller, enough: long.MaxValue);
            if (best is not null && gain - less <= best.Value.Net)
                break;
            if (gain > less)
                best = (smaller, less, gain - less);
        }
        return best is { } found
            ? WithPrefill(found.Draft, found.Loss)
            : transferred with { Split = decision with { Outcome = SplitOutcome.NotFaster, Split = CacheSplit.None, Reason = reason } };

        StepDraft WithPrefill(StepDraft some, long longer) =>
            Said(some, $"storing {StoredBytes(step, some)} bytes of activations takes the prefill {(longer > 0 ? Time(longer) + " longer" : "no longer")}");
    }

    /// <summary>A prefill that stores activations, planned once.</summary>
    private StepDraft Storing(PrefillSpec prefill, CacheSplit stored)
    {
        if (_prefills.Find(p => p.Step == prefill && p.Stored.RecomputesAs(stored)) is { Draft: { } known })
            return known;
        var draft = Planner.DraftPrefetched(deployment, prefill, laws, stored, cancellationToken, _times);
        _prefills.Add((prefill, stored, draft));
        return draft;
    }

    /// <summary>Bytes of the activations that a rank stores for a step.</summary>
    private static string StoredBytes(DecodeSpec step, StepDraft draft) =>
        (PlanFootprint.Of(draft.Plan, step.MaxContext).HostBytes - PlanFootprint.Of(draft.Split!.BasePlan, step.MaxContext).HostBytes).ToString("#,0", CultureInfo.InvariantCulture);

    private static StepDraft Said(StepDraft draft, string more) => draft with { Split = draft.Split! with { Reason = $"{draft.Split.Reason}; {more}" } };

    /// <summary>A split with prefetches: what is recomputed and what is prefetched share memory and links, and together they may not be worse than either alone.</summary>
    /// <param name="step">The step.</param>
    /// <param name="decision">The split that is best where nothing is prefetched.</param>
    /// <param name="draft">That split with the prefetches of the policy.</param>
    private StepDraft Joined(DecodeSpec step, SplitDecision decision, StepDraft draft)
    {
        var transferred = Prefetched(step, CacheSplit.None);
        var check = new ContextCheck(transferred.Plan, _times);
        var (split, left) = (decision.Split, new List<ContextRange>());
        var joined = draft;
        for (var mendings = 0; check.Losses(joined.Plan) is { Count: > 0 } losses; mendings++)
        {
            left = ContextCheck.Union(left, losses);
            split = decision.Split.Without(left, step);
            joined = split.IsNone || mendings == MostMendings ? transferred : Prefetched(step, split);
        }
        var alone = Unprefetched(step, decision.Split).Plan;
        if (deployment.Prefetch == PrefetchPolicy.Best && new ContextCheck(alone, _times).Losses(joined.Plan).Count > 0 && InTurn(step, decision, transferred) is { } faster)
            return faster with { Choice = draft.Choice?.Search.Nothing };
        return joined with
        {
            Split = !ReferenceEquals(joined, transferred)
                ? decision with { Split = split }
                : decision with { Outcome = SplitOutcome.NotFaster, Split = CacheSplit.None, Reason = "what is prefetched gains more where everything is transferred" },
        };
    }

    /// <summary>Either alone, where it is the faster one: the split without prefetches, and everything transferred with the prefetches that were chosen for that. Null
    /// where that is slower than one of them all the same, or prefetches at the largest context, for which it has no report.</summary>
    private StepDraft? InTurn(DecodeSpec step, SplitDecision decision, StepDraft transferred)
    {
        var alone = Unprefetched(step, decision.Split).Plan;
        var (recomputed, prefetched) = ContextDivision.Of(alone, transferred.Plan, _times);
        var split = decision.Split.Without(prefetched, step);
        if (split.IsNone || prefetched.Exists(p => p.Last == step.MaxContext))
            return null;
        var rule = prefetched.Count == 0 ? new ChosenRule(PrefetchCuts.Nothing) : (IPrefetchRule)new PausedRule(transferred.Rule!, recomputed);
        var graph = StepPlanner.Plan(deployment, step, rule, split);
        var plan = PlanEmission.Emit(graph, deployment, laws.Device.PrefetchRoomBytes);
        // The prefetches were chosen among other operators: whether they keep to the room here is to be proved.
        if (new[] { alone, transferred.Plan }.Any(p => new ContextCheck(p, _times).Losses(plan).Count > 0) || (prefetched.Count > 0 && PlanVerifier.Verify(plan).Count > 0))
            return null;
        var elsewhere = prefetched.Count == 0 ? "" : $"; at contexts {string.Join(", ", prefetched)} prefetches gain more, and everything is transferred";
        return new StepDraft(graph, plan, GuardReport.NothingToGain, null) { Split = decision with { Split = split, Reason = decision.Reason + elsewhere } };
    }

    /// <summary>A split with the prefetches of the policy, planned once.</summary>
    private StepDraft Prefetched(DecodeSpec step, CacheSplit split)
    {
        if (deployment.Prefetch == PrefetchPolicy.None)
            return Unprefetched(step, split);
        if (!_prefetched.TryGetValue((step, split), out var draft))
            _prefetched.Add((step, split), draft = Planner.DraftPrefetched(deployment, step, laws, split, cancellationToken, _times));
        return draft;
    }

    private SplitDecision Decide(DecodeSpec step)
    {
        var whole = Unprefetched(step, CacheSplit.None);
        var problems = step.ContextIsTotal ? [] : Problems(step);
        var none = new SplitDecision(
            SplitOutcome.NotPossible, CacheSplit.None, whole.Plan, null, 0,
            step.ContextIsTotal ? "of sequences that differ in length no prompt is known" : KvSplitProblem.NoneKeepsPrompt);
        if (problems.Count == 0)
            return none;
        var transfers = Transfers(problems);
        var sizes = problems.Values.SelectMany(p => transfers.Select(p.Problem.Sizes)).OrderBy(s => s.Ratio).First();
        none = none with { Sizes = sizes };
        if (deployment.Offload.Recompute == RecomputePolicy.None)
            return none with { Outcome = SplitOutcome.NotAsked, Reason = $"Recompute is RecomputePolicy.None; {sizes}" };
        // No declared step: the rules refuse one without a prompt where keys and values may be recomputed.
        if (step.Prompt == 0)
            return none with { Outcome = SplitOutcome.NotAsked, Reason = $"without Prompt no activations are stored to recompute from; {sizes}" };
        none = none with { Outcome = SplitOutcome.CannotPay, Reason = sizes.ToString() };
        if (!sizes.CanPay)
            return none;

        var ranks = new RankSizes(deployment);
        var room = (
            Math.Max(whole.Graph.ArenaBytes, laws.Device.MemoryBytes - (ranks.WeightBytes() - ranks.HostWeightBytes())),
            laws.Device.HostMemoryBytes / deployment.TensorParallel);
        var search = new SplitSearch(step, WithOtherWork(problems.ToDictionary(p => p.Key, p => p.Value.Problem), step), whole, split => Unprefetched(step, split), _times, room);
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
                Reason = $"{sizes}; transferring everything takes {Time(_times.Of(whole.Plan, step.MaxContext))} at {step.MaxContext} cached tokens",
                Room = search.RoomOf(best),
            };
    }

    /// <summary>A split without prefetches, planned once: what was tried is taken as it is.</summary>
    private StepDraft Unprefetched(DecodeSpec step, CacheSplit split)
    {
        if (!_unprefetched.TryGetValue((step, split), out var draft))
            _unprefetched.Add((step, split), draft = Planner.DraftPrefetched(deployment with { Prefetch = PrefetchPolicy.None }, step, laws, split, cancellationToken));
        return draft;
    }

    /// <summary>The problem of each kind of layer that keeps its prompt, by the prefix of its names, and how many such layers there are.</summary>
    private Dictionary<string, (KvSplitProblem Problem, int Layers)> Problems(DecodeSpec step)
    {
        var problems = new Dictionary<string, (KvSplitProblem Problem, int Layers)>();
        var rates = new ModelledRates(laws, deployment.Weights, deployment.Activations);
        var tile = TileOf(step);
        foreach (var (spec, kind) in ModelLowering.NameKinds(deployment.Model).Select(k => (k.Key, k.Value)).OrderBy(k => k.Value, StringComparer.Ordinal))
        {
            if (!KvSplitProblem.KeepsPrompt(spec, step.MaxContext))
                continue;
            problems.Add(kind, (KvSplitProblem.Of(rates, deployment, spec, step.Batch, step.Prompt, tile), deployment.Model.Stack.Sum(g => g.Repeat * g.Pattern.Count(l => l.Equals(spec)))));
        }
        return problems;
    }

    /// <summary>Tokens between two splits that are looked at.</summary>
    private static int TileOf(DecodeSpec step)
    {
        var tile = TileRows / GreatestCommonDivisor(TileRows, step.Batch);
        tile *= ((step.Prompt - 1) / (tile * MostSamples)) + 1;
        while (tile > 1 && tile * FewestSamples > step.Prompt)
            tile /= 2;
        return tile;
    }

    /// <summary>The problems with what else the device does in a layer: the step's time with everything on the device.</summary>
    private Dictionary<string, KvSplitProblem> WithOtherWork(Dictionary<string, KvSplitProblem> problems, DecodeSpec step)
    {
        var layers = deployment.Model.Stack.Sum(g => g.Repeat * g.Pattern.Count);
        var onDevice = PlanEmission.Emit(
            StepPlanner.Plan(deployment with { Offload = OffloadSpec.None }, step, PublishedRule.Nothing), deployment, laws.Device.PrefetchRoomBytes);
        var (first, last) = (_times.Of(onDevice, step.MinContext), _times.Of(onDevice, step.MaxContext));
        var perToken = step.MaxContext == step.MinContext ? 0 : Math.Max(last - first, 0) / (step.MaxContext - step.MinContext);
        return problems.ToDictionary(p => p.Key, p => p.Value with
        {
            OtherSeconds = Seconds(Math.Max(first - (perToken * step.MinContext), 0)),
            OtherSecondsPerToken = Seconds(perToken),
        });

        Rational Seconds(long picoseconds) => new(picoseconds, 1_000_000_000_000L * layers);
    }

    /// <summary>How activations may reach the ranks, in whatever kind of layer; once some were stored in one way, they are all.</summary>
    private IReadOnlyList<ActivationTransfer> Transfers(Dictionary<string, (KvSplitProblem Problem, int Layers)> problems)
    {
        if (_drafts.Values.Select(d => d.Split!.Split).FirstOrDefault(s => !s.IsNone) is { } earlier)
            return [earlier.Activations];
        return problems.Values.First().Problem.Transfers;
    }

    private static long MostSpared(Dictionary<string, (KvSplitProblem Problem, int Layers)> problems, DecodeSpec step) => problems.Values.Sum(p =>
    {
        var sizes = p.Problem.Sizes(p.Problem.Transfers[p.Problem.Transfers.Count - 1]);
        return sizes.CanPay ? (long)((sizes.KeyValueBytesOfRank - (sizes.ActivationBytes / sizes.Links)) * Math.Min(step.Prompt, step.MaxContext) * p.Layers * p.Problem.Batches).Ceiling() : 0;
    });

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);

    /// <summary>A time as reasons say it.</summary>
    internal static string Time(long picoseconds) => (picoseconds / 1_000_000_000m).ToString("#,0.000", CultureInfo.InvariantCulture) + " ms";
}
