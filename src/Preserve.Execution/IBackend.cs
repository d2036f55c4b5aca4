using System;
using System.Threading;
using System.Threading.Tasks;

namespace Preserve;

/// <summary>What runs the instructions of a plan: a model of a device, or a device.</summary>
/// <remarks>An <see cref="Executor"/> calls <see cref="Begin"/>, then hands over the instructions in program order, then calls
/// <see cref="CompleteAsync"/>; only then may the next step begin. A backend serves one executor at a time.</remarks>
public interface IBackend
{
    /// <summary>Begins a step.</summary>
    /// <param name="plan">The plan that will be walked.</param>
    /// <param name="context">The context of the step, in tokens; the plan serves it.</param>
    /// <exception cref="ArgumentException">The backend cannot run the plan.</exception>
    void Begin(ExecutionPlan plan, int context);

    /// <summary>Begins a repeat of the plan.</summary>
    /// <param name="count">How many times its body runs.</param>
    /// <returns>How many times the executor is to walk the body: <paramref name="count"/>, or 1 for a backend that repeats it by
    /// itself, as a captured graph does.</returns>
    int BeginRepeat(int count);

    /// <summary>Ends the repeat that was begun last.</summary>
    void EndRepeat();

    /// <summary>Hands over an instruction; it may run now or later, in the order of its stream.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="layer">Layer i of the repeat around; 0 outside.</param>
    void Submit(Instruction instruction, int layer);

    /// <summary>Waits until all that was handed over has run.</summary>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The run that the step had.</returns>
    /// <exception cref="OperationCanceledException">The wait was stopped.</exception>
    ValueTask<StepRun> CompleteAsync(CancellationToken cancellationToken);
}
