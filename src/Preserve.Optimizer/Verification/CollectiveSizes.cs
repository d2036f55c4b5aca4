using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Whether a collective hands on what its kind makes of what it is given: an all-reduce as much, an all-gather the parts of all
/// ranks, a reduce-scatter one rank's part.</summary>
internal static class CollectiveSizes
{
    /// <summary>What is wrong, or null.</summary>
    /// <param name="operation">The collective.</param>
    /// <param name="instruction">Its instruction.</param>
    /// <param name="tensors">The plan's declared tensors; those of the instruction are among them.</param>
    /// <param name="ranks">Ranks of the plan.</param>
    /// <param name="context">The context.</param>
    public static string? Fault(
        CollectiveOperation operation, Instruction instruction, IReadOnlyDictionary<string, TensorDeclaration> tensors, int ranks, int context)
    {
        if (operation.Ranks != ranks)
            return $"is over {operation.Ranks} ranks, and the plan has {ranks}";
        if (instruction.Reads.Count == 0 || instruction.Writes.Count == 0 || (!operation.IsFused && instruction.Reads.Count + instruction.Writes.Count != 2))
            return $"reads {instruction.Reads.Count} tensors and writes {instruction.Writes.Count}, and not one each";
        // The message of a fused matmul passes within the kernel.
        var given = operation.MatMul is { } matMul
            ? Precision.Bf16.Bytes((long)matMul.Rows * matMul.Columns)
            : tensors[instruction.Reads[0].Tensor].Bytes.At(context);
        if (given != operation.Bytes)
            return $"exchanges {operation.Bytes} bytes, and {(operation.MatMul is null ? $"'{instruction.Reads[0].Tensor}'" : "its matmul's result")} has {given}";
        var makes = operation.Kind switch
        {
            CollectiveKind.AllGather => checked(given * ranks),
            CollectiveKind.ReduceScatter => given / ranks,
            _ => given,
        };
        foreach (var write in instruction.Writes)
        {
            if (tensors[write.Tensor].Bytes.At(context) is var taken && taken != makes)
                return $"makes {makes} bytes, and '{write.Tensor}' has {taken}";
        }
        return null;
    }
}
