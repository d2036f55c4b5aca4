using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Which formats of a plan its device does not compute in: their elements are converted on the way, and the arithmetic runs in bf16.</summary>
public static class ConvertedFormats
{
    /// <summary>One sentence for each pair of formats of a matmul that is converted, and one for a KV-cache that is, in the order of the plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="device">The device that it runs on.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<string> Of(ExecutionPlan plan, Device device)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        return plan.Instructions().Select(i => Sentence(i.Operation, device)).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
    }

    private static string? Sentence(Operation operation, Device device) => operation switch
    {
        MatMulOperation { Weights: Precision.Bf16, Activations: Precision.Bf16 } => null,
        MatMulOperation o when device.Compute.FormatOf(o.Weights, o.Activations) == Precision.Bf16 =>
            $"matmuls of {Names.Precisions[o.Activations]} by {Names.Precisions[o.Weights]} are computed in bf16 by {device.Id}; converting is counted with nothing",
        CollectiveOperation { MatMul: { } matMul } => Sentence(matMul, device),
        AttentionOperation { KeyValues: not Precision.Bf16 } o =>
            $"attention over a cache of {Names.Precisions[o.KeyValues]} is computed in bf16; converting is counted with nothing",
        _ => null,
    };
}
