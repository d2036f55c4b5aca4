namespace Preserve.Optimizer.Tests;

/// <summary>A plan that recomputes, held against others at the lengths of its generation, more of them than the planner looks at.</summary>
/// <param name="Gathers">Whether ranks gather the activations, and so recompute as many tokens at every length.</param>
/// <param name="Lengths">Lengths of the generation.</param>
/// <param name="SlowerLengths">Those at which the plan is slower than transferring everything; every one was looked at.</param>
/// <param name="OverBest">How much longer it takes over 17 lengths together than with the best of 65 numbers of tokens at each: 0.01 for 1 % more.</param>
/// <param name="MostOverBest">How much longer at most at one of the 17.</param>
internal sealed record SplitOverLengths(bool Gathers, int Lengths, int SlowerLengths, double OverBest, double MostOverBest)
{
    /// <summary>Null where the deployment does not fit its device, or recomputes nothing.</summary>
    public static SplitOverLengths? Of(DeploymentSpec deployment, Device device)
    {
        if (!MemoryFit.Of(deployment, device.MemoryBytes).Fits)
            return null;
        var step = (DecodeSpec)deployment.Steps[0];
        var plan = Planner.PlanStep(deployment, step, device);
        if (!plan.Instructions().Any(i => i.Operation is RecomputeOperation))
            return null;
        var gathers = plan.Instructions().Any(i => i.Label == "gather_x");
        var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
        var whole = Constant(0);
        var slower = Enumerable.Range(step.MinContext, step.MaxContext - step.MinContext + 1).Count(c => times.Of(plan, c) > times.Of(whole, c));

        var constants = Enumerable.Range(0, 65).Select(i => step.Prompt * i / 64).Distinct().Select(Constant).ToList();
        var lengths = Enumerable.Range(0, 17).Select(i => step.MinContext + ((step.MaxContext - step.MinContext) * i / 16)).ToList();
        var (own, best) = (lengths.ConvertAll(c => times.Of(plan, c)), lengths.ConvertAll(c => constants.Min(p => times.Of(p, c))));
        return new(gathers, step.MaxContext - step.MinContext + 1, slower, ((double)own.Sum() / best.Sum()) - 1, own.Zip(best, (o, b) => ((double)o / b) - 1).Max());

        // As many tokens at every length, which reach the ranks as those of the plan do.
        ExecutionPlan Constant(int tokens)
        {
            var split = tokens == 0
                ? CacheSplit.None
                : new CacheSplit(null, new Dictionary<string, Amount> { [""] = tokens }) { Activations = gathers ? ActivationTransfer.Gathered : ActivationTransfer.Whole };
            return PlanEmission.Emit(StepPlanner.Plan(deployment, step, PublishedRule.Nothing, split), deployment, roomBytes: 0);
        }
    }
}
