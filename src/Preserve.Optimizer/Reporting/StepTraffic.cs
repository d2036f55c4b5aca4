using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Bytes that the instructions of a plan touch at one context.</summary>
internal sealed class StepTraffic
{
    private readonly Dictionary<string, TensorDeclaration> _tensors;
    private readonly int _context;

    public StepTraffic(ExecutionPlan plan, int context)
    {
        _tensors = plan.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        _context = context;
        MemoryBytes = Memory(plan.Body, 1);
    }

    /// <summary>Bytes of weights and KV-cache that the step reads, each once: what all batches read counts with the first.</summary>
    public long MemoryBytes { get; }

    public long BytesOf(TensorReference reference)
    {
        var tensor = _tensors[reference.Tensor];
        return checked((reference.Range?.Length ?? tensor.Units).At(_context) * tensor.UnitBytes);
    }

    public long ReadBytes(Instruction instruction)
    {
        var bytes = 0L;
        foreach (var read in instruction.Reads)
            bytes = checked(bytes + (instruction.Operation.LookupBytes(_tensors[read.Tensor]) is >= 0 and var rows ? rows : BytesOf(read)));
        return bytes;
    }

    public long WrittenBytes(Instruction instruction) => instruction.Writes.Sum(BytesOf);

    private long Memory(EquatableArray<PlanNode> body, long times)
    {
        var bytes = 0L;
        foreach (var node in body)
        {
            if (node is Repeat repeat)
                bytes = checked(bytes + Memory(repeat.Body, times * repeat.Count));
            else if (node is Instruction { Operation: MatMulOperation or AttentionOperation or CollectiveOperation { MatMul: not null } } instruction)
                bytes = checked(bytes + (times * instruction.Reads.Where(r => IsFromEarlier(r) && !IsReadBefore(instruction, r)).Sum(BytesOf)));
        }
        return bytes;
    }

    private bool IsReadBefore(Instruction instruction, TensorReference reference) =>
        _tensors[reference.Tensor].Role == TensorRole.Weight && instruction.Writes.Any(w => BatchNames.BatchOf(w.Tensor) > 0);

    private bool IsFromEarlier(TensorReference reference) => _tensors[reference.Tensor] is var tensor && tensor.Role switch
    {
        TensorRole.Weight => true,
        TensorRole.KeyValues => reference.Range is { } range && range.End != tensor.Units,
        _ => false,
    };
}
