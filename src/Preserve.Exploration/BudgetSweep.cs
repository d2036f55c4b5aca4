using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>Runs a step with budgets of prefetch that are set by hand, and with the searched prefetches.</summary>
public static class BudgetSweep
{
    /// <summary>Runs the deployment's one step with each budget, and with what <see cref="PrefetchPolicy.Best"/> chooses.</summary>
    /// <param name="deployment">The deployment, whose KV-cache and weights live on the device.</param>
    /// <param name="context">The context at which a decode step runs; 0 for a prefill.</param>
    /// <param name="device">A device whose L2 is known.</param>
    /// <param name="budgets">Bytes that are prefetched under each collective, 0 or more, as far as there are any: in the order of their readers, a tensor in
    /// part where the budget ends in it, whatever fits the window or the L2.</param>
    /// <param name="progress">Is told how many runs are done; null where nobody asks.</param>
    /// <param name="cancellation">Stops before the next run.</param>
    /// <returns>One run for each budget, in their order, and behind them that of the searched prefetches.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A budget is negative.</exception>
    public static IReadOnlyList<BudgetRun> Run(
        DeploymentSpec deployment, int context, Device device, IReadOnlyList<long> budgets, IProgress<int>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(deployment);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(budgets);
        foreach (var budget in budgets)
            ArgumentOutOfRangeException.ThrowIfNegative(budget, nameof(budgets));
        var basePlan = Step(Plan(deployment, 0), context, device, cancellation);
        var runs = new BudgetRun[budgets.Count + 1];
        var done = 0;
        Parallel.For(0, runs.Length, Workers.Of(cancellation), i =>
        {
            var plan = i < budgets.Count
                ? Plan(deployment, budgets[i])
                : Planner.PlanStep(deployment with { Prefetch = PrefetchPolicy.Best }, deployment.Steps[0], device, cancellation);
            runs[i] = new BudgetRun(i < budgets.Count ? budgets[i] : null, plan, Step(plan, context, device, cancellation), basePlan);
            progress?.Report(Interlocked.Increment(ref done));
        });
        return runs;
    }

    private static ExecutionPlan Plan(DeploymentSpec deployment, long budget)
    {
        var graph = StepPlanner.Plan(deployment, deployment.Steps[0], new FixedBudgetRule(budget));
        // The room of the L2 is what a budget does not ask; all else is proved.
        var plan = PlanEmission.Emit(graph, deployment, long.MaxValue);
        var faults = PlanVerifier.Verify(plan);
        return faults.Count == 0 ? plan : throw new PlanningException($"the plan with a budget of {budget} bytes is unsound: {string.Join("; ", faults.Take(3))}");
    }

    // The modelled device completes at once: nothing is waited for.
    private static StepRun Step(ExecutionPlan plan, int context, Device device, CancellationToken cancellation) =>
        new Executor(new SimulatedBackend(device)).RunAsync(plan, context, cancellation).AsTask().GetAwaiter().GetResult();
}

/// <summary>A step with one budget.</summary>
/// <param name="BudgetBytes">Bytes under each collective; null where the prefetches were searched for.</param>
/// <param name="Plan">Its plan.</param>
/// <param name="Run">The step.</param>
/// <param name="Base">The step without prefetches.</param>
public sealed record BudgetRun(long? BudgetBytes, ExecutionPlan Plan, StepRun Run, StepRun Base)
{
    /// <summary>How many times as fast as the step without prefetches.</summary>
    public double Speedup => (double)Base.Picoseconds / Run.Picoseconds;

    /// <summary>Bytes that memory brings in this step and not without prefetches: each was brought once in vain.</summary>
    public long InVainBytes => Math.Max(0, Run.HbmBytes - Base.HbmBytes);

    /// <summary>Of those, bytes that their readers read themselves, because they began before the prefetch had brought them.</summary>
    public long LateBytes => Math.Min(Run.LateBytes, InVainBytes);

    /// <summary>The others: what was pushed out of the L2 before it was read.</summary>
    public long EvictedBytes => InVainBytes - LateBytes;
}
