using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>What of a plan's kernels was measured on a device: a kernel was where its law has a band.</summary>
public sealed class MeasurementCoverage
{
    private readonly HashSet<KernelKind> _missing;

    private MeasurementCoverage(List<KernelKind> measured, HashSet<KernelKind> missing, List<string> unmeasured) =>
        (Measured, _missing, Unmeasured) = (measured, missing, unmeasured.ToArray());

    /// <summary>Kinds of which at least one kernel was measured, in the order of the plan.</summary>
    public IReadOnlyList<KernelKind> Measured { get; }

    /// <summary>Every measurement that lacks, by the format, the ranks or the kind that was not measured, such as
    /// <c>all-reduce over 16 ranks</c>; in the order of the plan, each once.</summary>
    public EquatableArray<string> Unmeasured { get; }

    /// <summary>Whether every kernel of a kind was measured.</summary>
    /// <param name="kind">The kind.</param>
    public bool Covers(KernelKind kind) => !_missing.Contains(kind);

    /// <summary>What of a plan was measured.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="laws">The cost laws of the device that it runs on.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static MeasurementCoverage Of(ExecutionPlan plan, ICostLaws laws)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        if (laws is null)
            throw new ArgumentNullException(nameof(laws));
        var (measured, missing, unmeasured) = (new List<KernelKind>(), new HashSet<KernelKind>(), new List<string>());
        foreach (var instruction in plan.Instructions())
        {
            if (PerturbedCostLaws.KindOf(instruction.Operation) is not { } kind)
                continue;
            if (laws.Band(instruction.Operation) is null)
            {
                missing.Add(kind);
                if (NameOf(instruction.Operation, laws) is var name && !unmeasured.Contains(name))
                    unmeasured.Add(name);
            }
            else if (!measured.Contains(kind))
            {
                measured.Add(kind);
            }
        }
        return new MeasurementCoverage(measured, missing, unmeasured);
    }

    /// <summary>What a measurement of an operation without a band would have to be of.</summary>
    private static string NameOf(Operation operation, ICostLaws laws) => operation switch
    {
        MatMulOperation o => MatMuls(o.Weights, o.Activations) + (o.Rows <= MatMulShape.MostStreamedRows
            ? laws.Band(o with { Rows = MatMulShape.MostStreamedRows + 1 }) is null ? "" : " with few rows"
            : laws.Band(o with { Rows = 1 }) is null ? "" : " with many rows"),
        RecomputeOperation o => MatMuls(o.Weights, o.Activations),
        AttentionOperation o => (o.NewTokens == 1 ? "decode attention" : "prefill attention") + (o.KeyValues == Precision.Bf16 ? "" : $" over an {Names.Precisions[o.KeyValues]} cache"),
        NormOperation => "norms",
        ElementwiseOperation o => CalibratedCostLaws.Measured(o.Function) switch
        {
            SmallOperator.Rotary => "rotation and storing of keys",
            SmallOperator.Add => "additions",
            _ => "activation functions",
        },
        CollectiveOperation o => $"{Names.Collectives[o.Kind]} over {o.Ranks} ranks" + (o.MatMul is not null ? " in one kernel with a matmul" : o.Norm is not null ? " in one kernel with a norm" : ""),
        TransferOperation => "copies between host and device",
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "an operation that is no kernel"),
    };

    private static string MatMuls(Precision weights, Precision activations) => $"matmuls of {Names.Precisions[activations]} by {Names.Precisions[weights]}";
}
