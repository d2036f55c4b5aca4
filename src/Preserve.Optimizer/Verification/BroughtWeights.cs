using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Which values of a plan are copies of weights in host memory. To who reads them they are those weights.</summary>
/// <remarks>That a value stands when it is read, whole and of the right layer, is proved of it as of any other. What is left is here: that whatever
/// writes it is a copy of one range of one weight, of its own layer, and fills it.</remarks>
internal sealed class BroughtWeights
{
    private readonly IReadOnlyDictionary<string, TensorDeclaration> _tensors;
    private readonly Dictionary<string, TensorReference> _sources = new(StringComparer.Ordinal);

    /// <param name="plan">The plan.</param>
    /// <param name="tensors">Its tensors, by name; those that it names without declaring them are somebody else's to refuse.</param>
    public BroughtWeights(ExecutionPlan plan, IReadOnlyDictionary<string, TensorDeclaration> tensors)
    {
        _tensors = tensors;
        var weights = new HashSet<string>(plan.Tensors.Where(t => t is { Role: TensorRole.Weight, OnHost: true }).Select(t => t.Name), StringComparer.Ordinal);
        foreach (var copy in plan.Instructions().Where(i => i.Operation is TransferOperation && i.Reads.Count > 0 && weights.Contains(i.Reads[0].Tensor)))
        {
            foreach (var write in copy.Writes)
                _sources[write.Tensor] = copy.Reads[0];
        }
    }

    /// <summary>What is wrong with an instruction that writes a copy of a weight, or null.</summary>
    public string? Fault(Instruction instruction)
    {
        foreach (var write in instruction.Writes)
        {
            if (!_sources.TryGetValue(write.Tensor, out var source))
                continue;
            if (instruction is not { Operation: TransferOperation, Reads.Count: 1, Writes.Count: 1 } || (instruction.Reads[0] with { Layer = source.Layer }) != source)
                return $"writes '{write.Tensor}', which is a copy of {ReferenceText.Write(source)} elsewhere";
            if (instruction.Reads[0].Layer != write.Layer)
                return $"brings '{source.Tensor}' of another layer than that of '{write.Tensor}'";
            if (write.Range is not null)
                return $"brings '{source.Tensor}' to a part of '{write.Tensor}'";
        }
        return null;
    }

    /// <summary>The same instruction with the weights themselves in place of their copies; ranges of one that meet are one.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="context">The context at which the ranges are those.</param>
    public Instruction Resolve(Instruction instruction, int context)
    {
        if (_sources.Count == 0 || instruction.Operation is TransferOperation || !instruction.Reads.Any(r => _sources.ContainsKey(r.Tensor)))
            return instruction;
        var reads = new List<TensorReference>();
        foreach (var read in instruction.Reads)
        {
            if (!_sources.TryGetValue(read.Tensor, out var source))
            {
                reads.Add(read);
                continue;
            }
            var from = source.Range?.Begin.At(context) ?? 0;
            var (begin, end) = Range(read, from, context);
            // The ranges stand in rising order.
            if (reads.Count > 0 && reads[reads.Count - 1] is var before && before.Tensor == source.Tensor && before.Layer == read.Layer && Range(before, 0, context).End == begin)
            {
                begin = Range(before, 0, context).Begin;
                reads.RemoveAt(reads.Count - 1);
            }
            var whole = begin == 0 && end == _tensors[source.Tensor].Units.At(context);
            reads.Add(new TensorReference(source.Tensor, read.Layer, whole ? null : new UnitRange(begin, end)));
        }
        return instruction with { Reads = reads.ToArray() };
    }

    /// <summary>What is wrong with what an instruction takes for weights, or null.</summary>
    /// <param name="resolved">The instruction with the weights in place of their copies.</param>
    /// <param name="context">The context.</param>
    public string? ReadFault(Instruction resolved, int context)
    {
        if (resolved.Operation is TransferOperation)
            return null;
        foreach (var read in resolved.Reads)
        {
            var weight = _tensors[read.Tensor];
            if (weight is not { Role: TensorRole.Weight, OnHost: true })
                continue;
            if (read.Range is not null && resolved.Operation is not RecomputeOperation)
                return $"reads only {ReferenceText.Write(read)}, of {weight.Units.At(context)} bytes";
            if (resolved.Writes.Any(w => _tensors[w.Tensor].PerLayer && w.Layer != read.Layer))
                return $"reads '{read.Tensor}' of another layer than its own";
        }
        return null;
    }

    private (long Begin, long End) Range(TensorReference reference, long from, int context) =>
        (from + (reference.Range?.Begin.At(context) ?? 0), from + (reference.Range?.End ?? _tensors[reference.Tensor].Units).At(context));
}
