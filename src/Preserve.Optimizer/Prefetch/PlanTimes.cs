using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Times of plans on the hardware model, by runs of the executor.</summary>
internal sealed class PlanTimes(ICostLaws laws, CancellationToken cancellationToken)
{
    private readonly Executor _executor = new(new SimulatedBackend(laws.Device, new SimulationOptions { CostLaws = _ => laws }));

    /// <summary>The step's time.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">Tokens cached before the step, in the unit of the plan's step.</param>
    /// <returns>Picoseconds.</returns>
    public long Of(ExecutionPlan plan, int context) =>
        // The simulated backend has run when it returns: there is nothing to await.
        _executor.RunAsync(plan, context, cancellationToken).AsTask().GetAwaiter().GetResult().Picoseconds;
}
