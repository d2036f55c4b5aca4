using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Whether what a prefill stores as a layer's activations is what its keys and values were projected from: else they would be made again
/// from something else.</summary>
/// <param name="tensors">The tensors, by name.</param>
/// <param name="writerOf">What writes a value of a layer, and the index of the repeat that it stands in.</param>
internal sealed class StoredActivations(IReadOnlyDictionary<string, TensorDeclaration> tensors, Func<string, int, (Instruction Writer, int RepeatLayer)?> writerOf)
{
    /// <summary>What is wrong with a copy of activations to the host, or null.</summary>
    /// <param name="activations">The value that is copied, or laid out anew and then copied.</param>
    /// <param name="keyValues">The value that is copied to the host as the layer's keys and values.</param>
    /// <param name="layer">The layer.</param>
    public string? Fault(string activations, string keyValues, int layer)
    {
        var input = LaidOut(activations, layer);
        var projections = ProjectionsOf(keyValues, layer);
        if (projections.Count == 0)
            return $"stores '{activations}', and no projection makes '{keyValues}'";
        foreach (var (projection, at) in projections)
        {
            if (!projection.Reads.Any(r => tensors[r.Tensor].Role == TensorRole.Value && (r.Tensor, r.Layer.Resolve(at)) == input))
                return $"stores '{input.Tensor}' of layer {input.Layer}, from which '{projection.Label}' does not make the keys and values";
        }
        return null;
    }

    /// <summary>The value that was laid out anew, or the value itself.</summary>
    private (string Tensor, int Layer) LaidOut(string value, int layer) =>
        writerOf(value, layer) is ({ Operation: ElementwiseOperation { Function: ElementwiseFunction.Store }, Reads: { Count: 1 } reads }, var at)
            ? (reads[0].Tensor, reads[0].Layer.Resolve(at))
            : (value, layer);

    /// <summary>The matmuls that a value goes back to, through whatever rotates, normalises or lays it out.</summary>
    private List<(Instruction Projection, int RepeatLayer)> ProjectionsOf(string value, int layer)
    {
        var (found, seen) = (new List<(Instruction, int)>(), new HashSet<(string, int)>());
        var rest = new Stack<(string Tensor, int Layer)>([(value, layer)]);
        while (rest.Count > 0)
        {
            if (rest.Pop() is var next && (!seen.Add(next) || writerOf(next.Tensor, next.Layer) is not { } written))
                continue;
            if (written.Writer.Operation is MatMulOperation)
            {
                found.Add(written);
                continue;
            }
            foreach (var read in written.Writer.Reads.Where(r => tensors[r.Tensor].Role == TensorRole.Value))
                rest.Push((read.Tensor, read.Layer.Resolve(written.RepeatLayer)));
        }
        return found;
    }
}
