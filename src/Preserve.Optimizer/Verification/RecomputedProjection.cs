using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Whether keys and values are made again as they were made: by the same layer's projection, all of its keys and values, with its
/// biases, in the heads that its attention takes, and through the norm that its keys go through.</summary>
internal static class RecomputedProjection
{
    /// <summary>Whether a recomputation is compared with an instruction: with those that project, normalise and attend.</summary>
    /// <param name="instruction">The instruction.</param>
    public static bool Asks(Instruction instruction) => instruction is { Operation: MatMulOperation or NormOperation or AttentionOperation, Writes.Count: > 0 };

    /// <summary>What is wrong with one recomputation, or null.</summary>
    /// <param name="again">The recomputation, with weights that come from the host in place of their copies.</param>
    /// <param name="ofBatches">The instructions among which it stands that it is compared with, likewise, by the end of their batch's names: those of its
    /// layer, which is that of its result, are there too, with the same index.</param>
    /// <param name="tensors">The tensors, by name.</param>
    /// <param name="context">The context.</param>
    public static string? Fault(Instruction again, ILookup<string, Instruction> ofBatches, IReadOnlyDictionary<string, TensorDeclaration> tensors, int context)
    {
        var operation = (RecomputeOperation)again.Operation;
        var layer = again.Writes.Count > 0 ? again.Writes[0].Layer : LayerIndex.None;
        var weights = WeightsOf(again, tensors).Where(w => w.Layer == layer).ToList();
        var instructions = ofBatches[again.Writes.Count > 0 ? BatchNames.SuffixOf(again.Writes[0].Tensor) : ""].ToList();
        var projections = instructions.Where(i => i.Operation is MatMulOperation && WeightsOf(i, tensors).Any(w => weights.Any(o => IsSame(o, w)))).ToList();
        if (projections.Count == 0)
            return "makes keys and values again with no weight of its layer's projection";

        long made = 0;
        foreach (var projection in projections)
        {
            var own = (MatMulOperation)projection.Operation;
            if ((own.Depth, own.Weights, own.Activations) != (operation.Depth, operation.Weights, operation.Activations))
                return $"makes keys and values again in {operation.Activations} by {operation.Weights} over {operation.Depth} elements, and '{projection.Label}' in {own.Activations} by {own.Weights} over {own.Depth}";
            foreach (var part in WeightsOf(projection, tensors))
            {
                if (weights.FirstOrDefault(w => IsSame(w, part)) is not { } read)
                    return $"makes keys and values again without '{part.Tensor}', which '{projection.Label}' reads";
                var units = tensors[part.Tensor].Units.At(context);
                var begin = read.Range?.Begin.At(context) ?? 0;
                // Queries stand before keys and values, or in weights of their own.
                if ((read.Range?.End.At(context) ?? units) != units)
                    return $"makes keys and values again with [{begin}, {read.Range!.End.At(context)}) of '{part.Tensor}', and they are at the end of its {units} bytes";
                // A bias has an element of each column.
                if (tensors[part.Tensor].Format.Bytes(((MatMulOperation)projection.Operation).Columns) != units)
                    made += units - begin;
                else if (!HasAsManyColumns(begin, units, projection, weights, tensors, context))
                    return $"makes keys and values again with another part of '{part.Tensor}' than of the weight beside it";
            }
        }
        var wanted = operation.Weights.Bytes((long)operation.Columns * operation.Depth);
        if (made != wanted)
            return $"makes keys and values again with {made} bytes of weights, and they take {wanted}";

        // As many columns make other heads where each is of another size, and keys are normalised and rotated by head.
        var attention = instructions.FirstOrDefault(i => i.Operation is AttentionOperation && i.Reads.Any(again.Writes.Contains));
        if (attention?.Operation is AttentionOperation heads && (heads.Sequences, heads.KeyValueHeads, heads.HeadSize) != (operation.Sequences, operation.KeyValueHeads, operation.HeadSize))
        {
            return $"makes keys and values again of {operation.Sequences} sequences in {operation.KeyValueHeads} heads of {operation.HeadSize}, "
                + $"and '{attention.Label}' takes {heads.Sequences} in {heads.KeyValueHeads} of {heads.HeadSize}";
        }

        var norm = instructions.FirstOrDefault(i => i.Operation is NormOperation && i.Reads.Any(r => projections.Any(p => p.Writes.Any(w => w.Tensor == r.Tensor && w.Layer == r.Layer))));
        var ofKeys = norm is null ? null : WeightsOf(norm, tensors).LastOrDefault();
        if (operation.Normalises != ofKeys is not null || (ofKeys is not null && !weights.Any(w => IsSame(w, ofKeys))))
            return ofKeys is null ? "normalises keys that its layer does not normalise" : $"makes keys again without their norm, '{ofKeys.Tensor}'";
        if (ofKeys is not null && weights.First(w => IsSame(w, ofKeys)).Range is { } range && range.Length.At(context) != tensors[ofKeys.Tensor].Units.At(context))
            return $"makes keys again with a part of their norm, '{ofKeys.Tensor}'";
        return null;
    }

    /// <summary>Whether a bias is read from the column on from which the matrix beside it is.</summary>
    private static bool HasAsManyColumns(
        long begin, long units, Instruction projection, List<TensorReference> weights, IReadOnlyDictionary<string, TensorDeclaration> tensors, int context)
    {
        var matrix = WeightsOf(projection, tensors)[0];
        var all = tensors[matrix.Tensor].Units.At(context);
        var from = weights.First(w => IsSame(w, matrix)).Range?.Begin.At(context) ?? 0;
        return (decimal)begin * all == (decimal)from * units;
    }

    private static List<TensorReference> WeightsOf(Instruction instruction, IReadOnlyDictionary<string, TensorDeclaration> tensors) =>
        instruction.Reads.Where(r => tensors[r.Tensor].Role == TensorRole.Weight).ToList();

    private static bool IsSame(TensorReference one, TensorReference other) => one.Tensor == other.Tensor && one.Layer == other.Layer;
}
