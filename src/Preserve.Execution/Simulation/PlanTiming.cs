using System.Threading;

namespace Preserve;

/// <summary>Times one plan under several cost laws, at several contexts; compiles it once.</summary>
internal sealed class PlanTiming(ExecutionPlan plan, StateMemory memory)
{
    private readonly CompiledPlan _plan = new(plan);
    private StepSimulation? _simulation;

    /// <summary>The step's time: what a run of the executor on the simulated backend says.</summary>
    /// <param name="laws">The cost laws.</param>
    /// <param name="context">Tokens cached before the step, in the unit of the plan's step.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <returns>Picoseconds.</returns>
    public long Of(ICostLaws laws, int context, CancellationToken cancellationToken)
    {
        _simulation ??= new StepSimulation(_plan, laws, memory);
        _simulation.Use(laws);
        _simulation.Begin(context);
        _simulation.RunSteps(coldStart: false, cancellationToken);
        return _simulation.Totals.Picoseconds;
    }
}
