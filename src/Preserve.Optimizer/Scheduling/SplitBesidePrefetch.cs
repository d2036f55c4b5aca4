using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>A split with prefetches: what is recomputed and what is prefetched share memory and links, and together they may not be worse than either alone.</summary>
/// <param name="deployment">The deployment.</param>
/// <param name="laws">The cost laws of the device.</param>
/// <param name="drafts">Plans what is tried.</param>
internal sealed class SplitBesidePrefetch(DeploymentSpec deployment, ICostLaws laws, SplitDrafts drafts)
{
    /// <summary>Times that a split is taken back in ranges of contexts where prefetches gain more without it: each is another search for prefetches.</summary>
    private const int MostMendings = 2;

    private readonly PlanTimes _times = drafts.Times;

    /// <summary>Plans a step with a split and the prefetches of the policy, or with what of both is fastest.</summary>
    /// <param name="step">The step.</param>
    /// <param name="decision">The split that is best where nothing is prefetched.</param>
    public StepDraft Plan(DecodeSpec step, SplitDecision decision)
    {
        var draft = drafts.Prefetched(step, decision.Split);
        return decision.Split.IsNone || deployment.Prefetch == PrefetchPolicy.None ? draft with { Split = decision } : Joined(step, decision, draft);
    }

    private StepDraft Joined(DecodeSpec step, SplitDecision decision, StepDraft draft)
    {
        var transferred = drafts.Prefetched(step, CacheSplit.None);
        var check = new ContextCheck(transferred.Plan, _times);
        var (split, left) = (decision.Split, new List<ContextRange>());
        var joined = draft;
        for (var mendings = 0; check.Losses(joined.Plan) is { Count: > 0 } losses; mendings++)
        {
            left = ContextCheck.Union(left, losses);
            split = decision.Split.Without(left, step);
            joined = split.IsNone || mendings == MostMendings ? transferred : drafts.Prefetched(step, split);
        }
        var alone = drafts.Unprefetched(step, decision.Split).Plan;
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
        var alone = drafts.Unprefetched(step, decision.Split).Plan;
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
}
