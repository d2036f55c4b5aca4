using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>The policy Best: prefetches what makes the simulated step shortest, and nothing where that is not sure to gain.</summary>
internal sealed class BestPrefetch(DeploymentSpec deployment, StepSpec step, ICostLaws laws, CancellationToken cancellationToken)
{
    private readonly long _room = laws.Device.PrefetchRoomBytes;

    /// <summary>Whether the plan may be emitted although the guard does not trust it: for tests of what the search does.</summary>
    public bool GuardOff { get; init; }

    /// <summary>Plans the step: the choice is at most as slow as the base plan and the published rule's, by the model.</summary>
    public StepDraft Plan()
    {
        var nothing = new Lazy<StepDraft>(() => Draft(new ChosenRule(PrefetchCuts.Nothing)));
        if (_room == 0)
            return nothing.Value;

        var published = Draft(new PublishedRule(_room));
        var basePlan = published.Plan.WithoutPrefetch();
        var candidates = new List<StepDraft>();
        var search = Search();
        if (search?.Run() is { } cuts)
            candidates.Add(Draft(new ChosenRule(cuts)));
        candidates.Add(published);

        var times = new PlanTimes(laws, cancellationToken);
        var harmless = candidates
            .Where(c => IsNeverWorse(c.Plan, basePlan, times))
            .Select(c => (Draft: c, Picoseconds: times.Of(c.Plan, step.MaxContext)))
            .OrderBy(c => c.Picoseconds)
            .ToList();
        if (harmless.Count == 0 || harmless[0].Picoseconds >= times.Of(basePlan, step.MaxContext))
            return nothing.Value with { Guard = GuardReport.NothingToGain, Search = search?.Forget() };

        var choice = harmless[0].Draft;
        var guard = Guard.Judge(basePlan, choice.Plan, laws, cancellationToken);
        return GuardOff || guard.Outcome != GuardOutcome.Refused ? choice with { Guard = guard, Search = ReferenceEquals(choice, published) ? null : search } : nothing.Value with { Guard = guard, Search = search };
    }

    /// <summary>Draws the template of a search, or null where there is nothing to choose.</summary>
    private PrefetchSearch? Search()
    {
        var rule = new TemplateRule();
        var template = Draft(rule);
        var problem = rule.Problem!;
        return problem.Parts.Count == 0 ? null : new PrefetchSearch(problem, template.Plan, laws, _room, cancellationToken);
    }

    /// <summary>Lengths are chosen at the largest context; a smaller one must not pay for it.</summary>
    private bool IsNeverWorse(ExecutionPlan plan, ExecutionPlan basePlan, PlanTimes times)
    {
        foreach (var context in new SortedSet<int> { step.MinContext, Middle(4), Middle(2), step.MaxContext })
        {
            if (times.Of(plan, context) > times.Of(basePlan, context))
                return false;
        }
        return true;

        int Middle(int divisor) => step.MinContext + ((step.MaxContext - step.MinContext) / divisor);
    }

    private StepDraft Draft(IPrefetchRule rule)
    {
        var graph = StepPlanner.Plan(deployment, step, rule);
        return new StepDraft(graph, PlanEmission.Emit(graph, deployment, _room), null, null);
    }
}
