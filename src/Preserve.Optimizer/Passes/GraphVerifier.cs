using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What holds of a graph from one pass on.</summary>
[Flags]
internal enum GraphInvariants
{
    /// <summary>Tensors are declared and have a size, layers exist, values are written once and before they are read.</summary>
    None = 0,

    /// <summary>Summands are read by collectives and by sums only.</summary>
    Reduced = 1,

    /// <summary>Every operator has a stream, and every wait a signal above.</summary>
    Streamed = 2,

    /// <summary>Every value has a place in the arena.</summary>
    Placed = 4,

    /// <summary>Layers are the model's, and one repeat may stand for several: who reads what is the plan verifier's to prove.</summary>
    Rolled = 8,
}

/// <summary>Checks a graph after each pass. A fault is the optimizer's own.</summary>
internal static class GraphVerifier
{
    /// <summary>Throws where something does not hold.</summary>
    public static void Check(Graph graph, GraphInvariants invariants, string pass)
    {
        if (FindFault(graph, invariants) is { } fault)
            throw new PlanningException($"after '{pass}': {fault}");
    }

    private static string? FindFault(Graph graph, GraphInvariants invariants)
    {
        if ((invariants & GraphInvariants.Rolled) != 0)
        {
            return graph.Operators.SelectMany(o => o.Reads.Concat(o.Writes)).Where(r => !graph.Contains(r.Tensor))
                .Select(r => $"{r.Tensor} is not declared").FirstOrDefault();
        }
        var flow = DataFlow.Of(graph);
        if (TopologicalOrder.Of(flow).Count != flow.Count)
            return "operators depend on each other in a circle";

        var written = new Dictionary<TensorReference, GraphOperator>();
        var signalled = new HashSet<string>(StringComparer.Ordinal);
        foreach (var op in graph.Operators)
        {
            var fault = op.Reads.Concat(op.Writes).Select(r => ReferenceFault(graph, r)).FirstOrDefault(f => f is not null)
                ?? op.Reads.Select(r => ReadFault(graph, op, r, written, invariants)).FirstOrDefault(f => f is not null)
                ?? op.Writes.Where(written.ContainsKey).Select(w => $"{ReferenceText.Write(w)} is written twice").FirstOrDefault()
                ?? op.Waits.Where(w => !signalled.Contains(w)).Select(w => $"nothing above signals '{w}'").FirstOrDefault();
            if (fault is null && (invariants & GraphInvariants.Streamed) != 0 && op.Stream is null)
                fault = "it has no stream";
            if (fault is not null)
                return $"{op.Label} of layer {op.Layer}: {fault}";
            foreach (var write in op.Writes)
                written[write] = op;
            if (op.Signals)
                signalled.Add(op.Label);
        }
        return (invariants & GraphInvariants.Placed) == 0 ? null
            : graph.Tensors.Where(t => t.Role == TensorRole.Value && (t.Offset < 0 || t.Offset + t.Units.At(0) > graph.ArenaBytes))
                .Select(t => $"{t.Name} has no place in the arena").FirstOrDefault();
    }

    private static string? ReferenceFault(Graph graph, TensorReference reference)
    {
        if (!graph.Contains(reference.Tensor))
            return $"{reference.Tensor} is not declared";
        var tensor = graph[reference];
        if (tensor.PerLayer != (reference.Layer.Kind == LayerIndexKind.Absolute))
            return $"{ReferenceText.Write(reference)} {(tensor.PerLayer ? "names no layer" : "belongs to no layer")}";
        if (tensor.PerLayer && (reference.Layer.Value < 0 || reference.Layer.Value > graph.LayerCount))
            return $"{ReferenceText.Write(reference)} is outside of the {graph.LayerCount} layers";
        return tensor.Units.At(graph.Step.MaxContext) > 0 && tensor.UnitBytes > 0 ? null : $"{reference.Tensor} has no size";
    }

    private static string? ReadFault(
        Graph graph, GraphOperator op, TensorReference read, Dictionary<TensorReference, GraphOperator> written, GraphInvariants invariants)
    {
        if (graph[read].Role != TensorRole.Value)
            return null;
        if (!written.TryGetValue(read, out var writer))
            return $"{ReferenceText.Write(read)} is read before it is written";
        var summand = (invariants & GraphInvariants.Reduced) != 0 && writer is { Result: Distribution.Partial, IsCollective: false };
        return summand && !op.IsCollective && op.Result != Distribution.Partial ? $"{ReferenceText.Write(read)} is only a summand" : null;
    }
}
