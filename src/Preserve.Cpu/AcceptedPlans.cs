namespace Preserve.Cpu;

/// <summary>Which plans a backend computes: those of its model, of whole sequences, in formats that there are kernels for.</summary>
/// <param name="model">The backend's model.</param>
internal sealed class AcceptedPlans(ModelSpec model)
{
    private readonly int _layers = model.LayerSpecs().Length;
    private ExecutionPlan? _last;

    /// <summary>Holds that a step of a plan can be computed.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">Tokens before the step.</param>
    /// <param name="tokens">New tokens that were set.</param>
    /// <exception cref="ArgumentException">It cannot; the message says why.</exception>
    public void Check(ExecutionPlan plan, int context, int tokens)
    {
        if (plan.Model != model.Name || plan.Layers != _layers)
            throw new ArgumentException($"the plan is of {plan.Model} with {plan.Layers} layers, and this backend computes {model.Name} with {_layers}", nameof(plan));
        if (plan.Ranks < 1)
            throw new ArgumentException($"the plan is of {plan.Ranks} ranks, and this backend computes 1 or more", nameof(plan));
        if (plan.Batches < 1)
            throw new ArgumentException($"the plan is of {plan.Batches} batches, and this backend computes 1 or more", nameof(plan));
        if (plan.Step.ContextIsTotal)
            throw new ArgumentException($"'{plan.Step}' counts the tokens of sequences of mixed lengths together, and this backend computes sequences of one length", nameof(plan));
        if (plan.Tensors.FirstOrDefault(t => t.Role != TensorRole.BlockTable && t.Format is not (Precision.Bf16 or Precision.Fp32)) is { } tensor)
            throw new ArgumentException($"'{tensor.Name}' is in {tensor.Format}, and this backend computes bf16 and fp32", nameof(plan));
        if (plan.Instructions().FirstOrDefault(i => ActivationsOf(i.Operation) is not (null or Precision.Bf16 or Precision.Fp32)) is { } matMul)
            throw new ArgumentException($"activations enter '{matMul.Label}' in {ActivationsOf(matMul.Operation)}, and this backend computes bf16 and fp32", nameof(plan));
        // A generation runs one plan over and over.
        if (!ReferenceEquals(plan, _last))
            PlannedModel.Check(plan, model);
        _last = plan;
        var wanted = (long)plan.Batches * plan.Step.Batch * plan.Step.NewTokens;
        if (tokens != wanted)
            throw new ArgumentException($"'{plan.Step}' of {plan.Batches} batches has {wanted} new tokens, and {tokens} were set", nameof(plan));
        if (model.TablePositions is var positions and > 0 && context + plan.Step.NewTokens > positions)
            throw new ArgumentException($"a context of {context} and {plan.Step.NewTokens} new tokens need more than the {positions} positions of {model.Name}", nameof(context));
    }

    private static Precision? ActivationsOf(Operation operation) => operation switch
    {
        MatMulOperation o => o.Activations,
        RecomputeOperation o => o.Activations,
        CollectiveOperation { MatMul: { } o } => o.Activations,
        _ => null,
    };
}
