namespace Preserve.Cpu.Tests;

/// <summary>A plan with every number in single precision: no optimizer makes one, and a backend computes it with nothing rounded between the operators.</summary>
internal static class SinglePrecision
{
    /// <summary>The plan, with every tensor of bf16 in fp32 and twice as long.</summary>
    public static ExecutionPlan Of(ExecutionPlan plan)
    {
        var halves = plan.Tensors.Where(t => t.Format == Precision.Bf16).ToDictionary(t => t.Name);
        return plan with
        {
            ArenaBytes = 2 * plan.ArenaBytes,
            Tensors = plan.Tensors.Select(Tensor).ToArray(),
            Body = Nodes(plan.Body),
        };

        TensorDeclaration Tensor(TensorDeclaration tensor)
        {
            // Offsets of values of either format lie in one arena.
            tensor = tensor with { Offset = tensor.Offset < 0 ? tensor.Offset : 2 * tensor.Offset };
            if (!halves.ContainsKey(tensor.Name))
                return tensor;
            return CountsBytes(tensor)
                ? tensor with { Format = Precision.Fp32, Units = tensor.Units * 2 }
                : tensor with { Format = Precision.Fp32, UnitBytes = 2 * tensor.UnitBytes };
        }

        EquatableArray<PlanNode> Nodes(EquatableArray<PlanNode> nodes) => nodes.Select(node => node switch
        {
            Repeat repeat => repeat with { Body = Nodes(repeat.Body) },
            Instruction i => i with
            {
                Reads = i.Reads.Select(Reference).ToArray(),
                Writes = i.Writes.Select(Reference).ToArray(),
                Operation = i.Operation is CollectiveOperation c ? c with { Bytes = 2 * c.Bytes } : i.Operation,
            },
            _ => node,
        }).ToArray();

        TensorReference Reference(TensorReference reference) =>
            reference.Range is { } range && halves.TryGetValue(reference.Tensor, out var tensor) && CountsBytes(tensor)
                ? reference with { Range = new UnitRange(range.Begin * 2, range.End * 2) }
                : reference;
    }

    private static bool CountsBytes(TensorDeclaration tensor) => tensor.UnitBytes == 1;
}
