using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>Runs deployments on a device with L2 caches of several sizes. All rates stay as they are, and so does the part of the L2 that is
/// usable.</summary>
public static class L2Sweep
{
    /// <summary>The device with another L2.</summary>
    /// <param name="device">A device whose L2 is known.</param>
    /// <param name="mebibytes">The new capacity, above 0.</param>
    /// <exception cref="ArgumentException">Capacity or rate of the device's L2 is not known.</exception>
    public static Device WithL2(Device device, double mebibytes)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(mebibytes);
        if (!device.L2Known || device.L2.CapacityMebibytes is not { } capacity || device.L2.UsableMebibytes is not { } usable)
            throw new ArgumentException(device.UnknownL2 ?? $"l2.capacity_mebibytes of {device.Id} is not known", nameof(device));
        var factor = mebibytes / capacity;
        return device with
        {
            L2 = device.L2 with { CapacityMebibytes = mebibytes, UsableMebibytes = usable * factor, LimitMebibytes = device.L2.LimitMebibytes * factor },
        };
    }

    /// <summary>Runs every deployment with every policy at every size.</summary>
    /// <remarks>What fits a smaller L2 fits a larger one: where the search found less in the larger, the smaller one's plan runs there.</remarks>
    /// <param name="deployments">The deployments, each with one step.</param>
    /// <param name="context">The context at which decode steps run.</param>
    /// <param name="device">The device.</param>
    /// <param name="sizesMebibytes">Capacities of the L2, above 0.</param>
    /// <param name="policies">How prefetches are chosen.</param>
    /// <param name="progress">Is told how many runs are done; null where nobody asks.</param>
    /// <param name="cancellation">Stops before the next run.</param>
    /// <returns>One run for each size and policy, in the order of both.</returns>
    public static IReadOnlyList<SweptRun> Run(
        IReadOnlyList<DeploymentSpec> deployments, int context, Device device, IReadOnlyList<double> sizesMebibytes, IReadOnlyList<PrefetchPolicy> policies,
        IProgress<int>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(deployments);
        ArgumentNullException.ThrowIfNull(sizesMebibytes);
        ArgumentNullException.ThrowIfNull(policies);
        var runs = (from size in sizesMebibytes from policy in policies select (Size: size, Policy: policy)).ToList();
        var plans = new ExecutionPlan[runs.Count][];
        var done = 0;
        Parallel.For(0, runs.Count, Workers.Of(cancellation), i =>
        {
            var sized = WithL2(device, runs[i].Size);
            plans[i] = [.. deployments.Select(d => Planner.Plan(d with { Prefetch = runs[i].Policy }, sized, cancellationToken: cancellation).Steps[0].Plan)];
            progress?.Report(Interlocked.Increment(ref done));
        });

        var steps = plans.Select(p => new SweptStep[p.Length]).ToArray();
        foreach (var rising in Enumerable.Range(0, runs.Count).GroupBy(i => runs[i].Policy))
        {
            ExecutionPlan[]? smaller = null;
            foreach (var i in rising.OrderBy(i => runs[i].Size))
            {
                var sized = WithL2(device, runs[i].Size);
                for (var d = 0; d < deployments.Count; d++)
                {
                    steps[i][d] = Step(plans[i][d], sized, context, cancellation);
                    if (runs[i].Policy == PrefetchPolicy.Best && smaller is not null && Step(smaller[d], sized, context, cancellation) is var other && other.Picoseconds < steps[i][d].Picoseconds)
                        (plans[i][d], steps[i][d]) = (smaller[d], other);
                }
                smaller = plans[i];
            }
        }
        return [.. runs.Select((run, i) => new SweptRun(run.Size, run.Policy, steps[i], deployments))];
    }

    // The modelled device completes at once: nothing is waited for.
    private static SweptStep Step(ExecutionPlan plan, Device device, int context, CancellationToken cancellation)
    {
        var run = BandedRun.OfAsync(plan, context, device, new SimulationOptions(), cancellation).AsTask().GetAwaiter().GetResult();
        return new SweptStep(plan, run.Run.Picoseconds, run.BandOf(step => step.Picoseconds), run.Unmeasured);
    }
}

/// <summary>One step of a sweep.</summary>
/// <param name="Plan">Its plan.</param>
/// <param name="Picoseconds">Its time.</param>
/// <param name="Band">How far that is to be trusted; null where less than half of it follows what was measured on the device.</param>
/// <param name="Unmeasured">What was not measured on the device: the band says nothing of it.</param>
public sealed record SweptStep(ExecutionPlan Plan, long Picoseconds, TimeBand? Band, EquatableArray<string> Unmeasured);

/// <summary>One size and policy of a sweep.</summary>
/// <param name="L2Mebibytes">Capacity of the L2.</param>
/// <param name="Policy">How prefetches were chosen.</param>
/// <param name="Steps">The step of each deployment.</param>
/// <param name="Deployments">The deployments, in the same order.</param>
public sealed record SweptRun(double L2Mebibytes, PrefetchPolicy Policy, IReadOnlyList<SweptStep> Steps, IReadOnlyList<DeploymentSpec> Deployments)
{
    /// <summary>Tokens per second and device, the geometric mean over the deployments: those that a step makes or reads in.</summary>
    public double TokensPerSecond => MeanTokensPerSecond(s => s.Picoseconds);

    /// <summary>Between what they lie with 80 %; null where less than half of it follows what was measured on the device. What errs for one deployment errs for all.</summary>
    public (double Low, double High)? TokensPerSecondBand => Steps.All(s => s.Band is not null)
        ? (MeanTokensPerSecond(s => s.Band!.Value.HighPicoseconds), MeanTokensPerSecond(s => s.Band!.Value.LowPicoseconds))
        : null;

    private double MeanTokensPerSecond(Func<SweptStep, long> picoseconds) =>
        Math.Exp(Steps.Zip(Deployments, (s, d) => Math.Log(d.Steps[0].Batch * (double)d.Steps[0].NewTokens / (picoseconds(s) * 1e-12) / d.TensorParallel)).Average());
}
