using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Decides what a decode step recomputes of its KV-cache where nothing is prefetched, and says why.</summary>
/// <param name="deployment">The deployment.</param>
/// <param name="laws">The cost laws of the device.</param>
/// <param name="drafts">Plans what is tried.</param>
internal sealed class SplitDecider(DeploymentSpec deployment, ICostLaws laws, SplitDrafts drafts)
{
    private readonly PlanTimes _times = drafts.Times;

    /// <summary>The best split of a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="stored">How activations of an earlier step reach the ranks; null where none are stored yet.</param>
    public SplitDecision Decide(DecodeSpec step, ActivationTransfer? stored)
    {
        var whole = drafts.Unprefetched(step, CacheSplit.None);
        var problems = step.ContextIsTotal ? [] : Problems(step);
        var none = new SplitDecision(
            SplitOutcome.NotPossible, CacheSplit.None, whole.Plan, null, 0,
            step.ContextIsTotal ? "of sequences that differ in length no prompt is known" : KvSplitProblem.NoneKeepsPrompt);
        if (problems.Count == 0)
            return none;
        // Once activations were stored in one way, in whatever kind of layer, they are all.
        var transfers = stored is { } way ? [way] : problems.Values.First().Problem.Transfers;
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
        var search = new SplitSearch(step, WithOtherWork(problems.ToDictionary(p => p.Key, p => p.Value.Problem), step), whole, split => drafts.Unprefetched(step, split), _times, room);
        foreach (var transfer in transfers)
            search.Try(transfer);
        var best = search.Best();
        none = none with { Outcome = SplitOutcome.NotFaster, MostSparedBytes = MostSpared(problems, step) };
        if (best.IsNone)
            return none with { Reason = search.WhyNot() };
        sizes = problems.Values.Select(p => p.Problem.Sizes(best.Activations)).OrderBy(s => s.Ratio).First();
        return none with
        {
            Outcome = best.Form switch { KvSplitForm.Sequential => SplitOutcome.Sequential, KvSplitForm.Pipelined => SplitOutcome.Pipelined, _ => SplitOutcome.Between },
            Split = best,
            Sizes = sizes,
            Reason = $"{sizes}; transferring everything takes {SplitReasons.Time(_times.Of(whole.Plan, step.MaxContext))} at {step.MaxContext} cached tokens",
            Room = search.RoomOf(best),
        };
    }

    /// <summary>The problem of each kind of layer that keeps its prompt, by the prefix of its names, and how many such layers there are.</summary>
    private Dictionary<string, (KvSplitProblem Problem, int Layers)> Problems(DecodeSpec step)
    {
        var problems = new Dictionary<string, (KvSplitProblem Problem, int Layers)>();
        var rates = new ModelledRates(laws, deployment.Weights, deployment.Activations);
        var tile = SplitTile.Of(step);
        foreach (var (spec, kind) in ModelLowering.NameKinds(deployment.Model).Select(k => (k.Key, k.Value)).OrderBy(k => k.Value, StringComparer.Ordinal))
        {
            if (!KvSplitProblem.KeepsPrompt(spec, step.MaxContext))
                continue;
            problems.Add(kind, (KvSplitProblem.Of(rates, deployment, spec, step.Batch, step.Prompt, tile), deployment.Model.Stack.Sum(g => g.Repeat * g.Pattern.Count(l => l.Equals(spec)))));
        }
        return problems;
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

    private static long MostSpared(Dictionary<string, (KvSplitProblem Problem, int Layers)> problems, DecodeSpec step) => problems.Values.Sum(p =>
    {
        var sizes = p.Problem.Sizes(p.Problem.Transfers[p.Problem.Transfers.Count - 1]);
        return sizes.CanPay ? (long)((sizes.KeyValueBytesOfRank - (sizes.ActivationBytes / sizes.Links)) * Math.Min(step.Prompt, step.MaxContext) * p.Layers * p.Problem.Batches).Ceiling() : 0;
    });
}
