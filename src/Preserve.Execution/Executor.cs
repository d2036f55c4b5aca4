using System;
using System.Threading;
using System.Threading.Tasks;

namespace Preserve;

/// <summary>Walks plans and drives a backend: the one path for models and devices.</summary>
/// <remarks>Allocates nothing per instruction. Not safe for use by several threads at once.</remarks>
public sealed class Executor
{
    private readonly IBackend _backend;

    /// <summary>An executor on a backend.</summary>
    /// <param name="backend">The backend; this executor is its only user.</param>
    /// <exception cref="ArgumentNullException"><paramref name="backend"/> is null.</exception>
    public Executor(IBackend backend) => _backend = backend ?? throw new ArgumentNullException(nameof(backend));

    /// <summary>Runs one step.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">Tokens cached before the step, in the unit of the plan's step.</param>
    /// <param name="cancellationToken">Stops the run; the backend then begins anew with the next one.</param>
    /// <returns>What ran, and how long it took.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="plan"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The plan does not serve the context.</exception>
    /// <exception cref="ArgumentException">The backend cannot run the plan.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public ValueTask<StepRun> RunAsync(ExecutionPlan plan, int context, CancellationToken cancellationToken = default)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        if (context < plan.Step.MinContext || context > plan.Step.MaxContext)
        {
            throw new ArgumentOutOfRangeException(nameof(context), context,
                $"the plan for {plan.Step} serves contexts from {plan.Step.MinContext} to {plan.Step.MaxContext}");
        }
        cancellationToken.ThrowIfCancellationRequested();
        _backend.Begin(plan, context);
        Walk(plan.Body, 0, cancellationToken);
        return _backend.CompleteAsync(cancellationToken);
    }

    private void Walk(EquatableArray<PlanNode> body, int layer, CancellationToken cancellationToken)
    {
        foreach (var node in body)
        {
            if (node is Instruction instruction)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _backend.Submit(instruction, layer);
                continue;
            }
            var repeat = (Repeat)node;
            var walks = _backend.BeginRepeat(repeat.Count);
            for (var i = 0; i < walks; i++)
                Walk(repeat.Body, repeat.FirstLayer + (i * repeat.Stride), cancellationToken);
            _backend.EndRepeat();
        }
    }
}
