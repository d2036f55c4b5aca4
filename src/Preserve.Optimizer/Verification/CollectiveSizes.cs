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
        CollectiveOperation operation, Instruction instruction, Dictionary<string, TensorDeclaration> tensors, int ranks, int context)
    {
        if (operation.Ranks != ranks)
            return $"is over {operation.Ranks} ranks, and the plan has {ranks}";
        if (instruction.Reads.Count != 1 || instruction.Writes.Count != 1)
            return $"reads {instruction.Reads.Count} tensors and writes {instruction.Writes.Count}, and not one each";
        var given = tensors[instruction.Reads[0].Tensor].Bytes.At(context);
        if (given != operation.Bytes)
            return $"exchanges {operation.Bytes} bytes, and '{instruction.Reads[0].Tensor}' has {given}";
        var makes = operation.Kind switch
        {
            CollectiveKind.AllGather => checked(given * ranks),
            CollectiveKind.ReduceScatter => given / ranks,
            _ => given,
        };
        var taken = tensors[instruction.Writes[0].Tensor].Bytes.At(context);
        return taken == makes ? null : $"makes {makes} bytes, and '{instruction.Writes[0].Tensor}' has {taken}";
    }
}
