using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>The policy Best: prefetches what makes the simulated step shortest, and nothing where that is not sure to gain.</summary>
/// <param name="deployment">The deployment.</param>
/// <param name="step">The step.</param>
/// <param name="laws">The cost laws of the device.</param>
/// <param name="cancellationToken">Stops the search.</param>
/// <param name="split">What is recomputed of a KV-cache in host memory; null for nothing.</param>
/// <param name="times">Times of plans by the same laws, where some are known; null for none.</param>
internal sealed class BestPrefetch(
    DeploymentSpec deployment, StepSpec step, ICostLaws laws, CancellationToken cancellationToken, CacheSplit? split = null, PlanTimes? times = null)
{
    private readonly long _room = laws.Device.PrefetchRoomBytes;
    private readonly PlanTimes _times = times ?? new PlanTimes(laws, cancellationToken);
    private readonly Func<IPrefetchRule, Graph> _plan = StepPlanner.Planning(deployment, step, split);

    /// <summary>Most plans that the search times.</summary>
    public int MostTrials { get; init; } = PrefetchSearch.MostTrials;

    /// <summary>What the published rule gives; null before the choice, and where the L2 has no room.</summary>
    public ExecutionPlan? Published { get; private set; }

    /// <summary>The plan without prefetches; null likewise.</summary>
    public ExecutionPlan? Base { get; private set; }

    /// <summary>Plans the step.</summary>
    public StepDraft Plan() => Choose(guarded: true);

    /// <summary>The fastest plan that was found, whether or not its gain is sure: at most as slow as the base plan and the published rule's, by the model.</summary>
    public StepDraft Choose() => Choose(guarded: false);

    private StepDraft Choose(bool guarded)
    {
        if (_room == 0)
            return Draft(new ChosenRule(PrefetchCuts.Nothing));

        var published = Draft(new PublishedRule(_room));
        Published = published.Plan;
        Base = published.Plan.WithoutPrefetch();
        var search = Search(published);
        var choices = new List<StepDraft>();
        // A trial is almost always what the plan then takes; where it is not, what is next best by its trial may be better.
        var most = Time(published);
        for (var found = search?.Run(); found is not null && found.Picoseconds <= most; found = search!.Next(most))
        {
            var draft = Draft(new ChosenRule(found.Cuts)) with { Choice = found };
            choices.Add(draft);
            most = Math.Min(most, Time(draft)) - 1;
        }
        choices.Add(published with { Choice = search is null ? null : new PrefetchChoice(search, search.Rival!, Time(published)) });
        var check = new ContextCheck(Base, _times);
        StepDraft? refused = null;
        // Of plans that take as long, the search's.
        foreach (var draft in choices.OrderBy(Time).TakeWhile(c => Time(c) < Time(Base)))
        {
            var without = WithoutIdle(draft);
            // What the guard refuses, at one context, is not looked at at the others.
            var judged = guarded ? Guarded(without) : without;
            if (judged.Guard?.Outcome == GuardOutcome.Refused)
                refused ??= judged;
            else if (NeverWorse(judged, check) is { } choice)
                return choice;
        }
        return refused ?? Draft(new ChosenRule(PrefetchCuts.Nothing)) with { Guard = GuardReport.NothingToGain, Choice = search?.Nothing };
    }

    /// <summary>A draft without the prefetches beside hosts that shorten nothing, or make it longer: a tensor is cut alike in all layers, but the
    /// first layer's may be brought twice, by the step before and in this one, and the published rule asks for no gain.</summary>
    private StepDraft WithoutIdle(StepDraft draft)
    {
        var hosts = new Queue<string>(draft.Graph.Windows.Where(w => w.Candidates.Any(c => c.Chosen is not null)).Select(w => w.Host.Label).Distinct().Reverse());
        var (plan, left) = (draft.Plan, new List<string>());
        // Without one, another may shorten nothing any more: all are asked again.
        for (var needed = 0; needed < hosts.Count;)
        {
            var host = hosts.Dequeue();
            var without = plan.WithoutPrefetch(i => i.Label == "under_" + host);
            if (Time(without) > Time(plan))
            {
                hosts.Enqueue(host);
                needed++;
            }
            else
            {
                (plan, needed) = (without, 0);
                left.Add(host);
            }
        }
        return left.Count == 0 ? draft : Draft(new LeavingRule(draft.Rule!, left.ToArray())) with { Choice = draft.Choice };
    }

    /// <summary>The choice, or the base plan where the choice is not sure to gain.</summary>
    public StepDraft Guarded(StepDraft choice)
    {
        if (_room == 0 || choice.Guard is not null)
            return choice;
        var guard = Guard.Judge(Base!, choice.Plan, laws, _times);
        return guard.Outcome == GuardOutcome.Refused
            ? Draft(new ChosenRule(PrefetchCuts.Nothing)) with { Guard = guard, Choice = choice.Choice }
            : choice with { Guard = guard };
    }

    /// <summary>Draws the template of a search, or null where there is nothing to choose.</summary>
    private PrefetchSearch? Search(StepDraft published)
    {
        var rule = new TemplateRule();
        var template = Draft(rule);
        var problem = rule.Problem!;
        if (problem.Parts.Count == 0)
            return null;
        return new PrefetchSearch(new SearchSpace(problem, template.Plan, _times.Memory), laws, MostTrials, cancellationToken) { Rival = LengthsOf(published, problem) };
    }

    /// <summary>A draft as a choice of the problem: the longest that it brings of each part. A tensor is cut alike in all layers, and the rule need not
    /// do so.</summary>
    private long[] LengthsOf(StepDraft draft, PrefetchProblem problem)
    {
        var units = new long[problem.Parts.Count];
        foreach (var candidate in draft.Graph.Windows.SelectMany(w => w.Candidates).Where(c => c.Chosen is not null))
        {
            if (problem.Find(candidate) is >= 0 and var part)
                units[part] = Math.Max(units[part], candidate.Chosen!.Length.At(step.MaxContext));
        }
        return units;
    }

    /// <summary>A draft that prefetches nothing at contexts at which its rule's choice was found slower than the base plan: lengths are chosen at the largest
    /// context, and a smaller one must not pay for it. Null where it is slower all the same.</summary>
    private StepDraft? NeverWorse(StepDraft draft, ContextCheck check)
    {
        var pauses = new List<ContextRange>();
        for (var paused = draft; ;)
        {
            var losses = check.Losses(paused.Plan);
            if (losses.Count == 0)
                return paused;
            var before = pauses;
            pauses = ContextCheck.Union(pauses, losses);
            if (pauses.SequenceEqual(before) || pauses[pauses.Count - 1].Last == step.MaxContext)
                return null;
            paused = Draft(new PausedRule(draft.Rule!, pauses)) with { Guard = draft.Guard, Choice = draft.Choice, Pauses = pauses.ToArray() };
        }
    }

    private long Time(StepDraft draft) => Time(draft.Plan);

    private long Time(ExecutionPlan plan) => _times.Of(plan, step.MaxContext);

    private StepDraft Draft(IPrefetchRule rule)
    {
        var graph = _plan(rule);
        return new StepDraft(graph, PlanEmission.Emit(graph, deployment, _room), null, null) { Rule = rule };
    }
}
