using System;
using System.Collections.Generic;

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

/// <summary>Checks a graph after each pass. A fault is the optimizer's own. Keeps its tables from one check to the next.</summary>
internal sealed class GraphVerifier
{
    private readonly Dictionary<GraphReference, GraphOperator> _written = [];
    private readonly HashSet<string> _signalled = new(StringComparer.Ordinal);

    /// <summary>Throws where something does not hold.</summary>
    public void Check(Graph graph, GraphInvariants invariants, string pass)
    {
        if (FindFault(graph, invariants) is { } fault)
            throw new PlanningException($"after '{pass}': {fault}");
    }

    private string? FindFault(Graph graph, GraphInvariants invariants)
    {
        var rolled = (invariants & GraphInvariants.Rolled) != 0;
        _written.Clear();
        _signalled.Clear();
        foreach (var op in graph.Operators)
        {
            if ((rolled ? UndeclaredFault(graph, op) : OperatorFault(graph, op, invariants)) is { } fault)
                return $"{op.Label} of layer {op.Layer}: {fault}";
            foreach (var write in op.Writes)
                _written[write] = op;
            if (op.Signals)
                _signalled.Add(op.Label);
        }
        foreach (var tensor in graph.Tensors)
        {
            if ((rolled ? null : SizeFault(graph, tensor)) is { } fault)
                return fault;
        }
        return (invariants & GraphInvariants.Placed) != 0 ? PlaceFault(graph) : null;
    }

    private static string? UndeclaredFault(Graph graph, GraphOperator op)
    {
        foreach (var read in op.Reads)
        {
            if (!graph.Holds(read.Tensor))
                return $"{read.Tensor.Name} is not declared";
        }
        foreach (var write in op.Writes)
        {
            if (!graph.Holds(write.Tensor))
                return $"{write.Tensor.Name} is not declared";
        }
        return null;
    }

    private string? OperatorFault(Graph graph, GraphOperator op, GraphInvariants invariants)
    {
        foreach (var read in op.Reads)
        {
            if ((ReferenceFault(graph, read) ?? ReadFault(op, read, invariants)) is { } fault)
                return fault;
        }
        foreach (var write in op.Writes)
        {
            if ((ReferenceFault(graph, write) ?? (_written.ContainsKey(write) ? $"{write} is written twice" : null)) is { } fault)
                return fault;
        }
        foreach (var wait in op.Waits)
        {
            if (!_signalled.Contains(wait))
                return $"nothing above signals '{wait}'";
        }
        return (invariants & GraphInvariants.Streamed) != 0 && op.Stream is null ? "it has no stream" : null;
    }

    private static string? ReferenceFault(Graph graph, GraphReference reference)
    {
        var tensor = reference.Tensor;
        if (!graph.Holds(tensor))
            return $"{tensor.Name} is not declared";
        if (tensor.PerLayer != (reference.Layer.Kind == LayerIndexKind.Absolute))
            return $"{reference} {(tensor.PerLayer ? "names no layer" : "belongs to no layer")}";
        if (tensor.PerLayer && (reference.Layer.Value < 0 || reference.Layer.Value > graph.LayerCount))
            return $"{reference} is outside of the {graph.LayerCount} layers";
        return null;
    }

    private string? ReadFault(GraphOperator op, GraphReference read, GraphInvariants invariants)
    {
        if (read.Tensor.Role != TensorRole.Value)
            return null;
        if (!_written.TryGetValue(read, out var writer))
            return $"{read} is read before it is written";
        if ((invariants & GraphInvariants.Reduced) == 0)
            return null;
        // A share of the tokens is whole to who takes the same share.
        if (writer.Result == Distribution.Scattered && op is { IsCollective: false, IsPrefetch: false } && op.Result != Distribution.Scattered)
            return $"{read} is only a share of the tokens";
        var summand = writer is { Result: Distribution.Partial, IsCollective: false };
        return summand && !op.IsCollective && op.Result != Distribution.Partial ? $"{read} is only a summand" : null;
    }

    private static string? SizeFault(Graph graph, GraphTensor tensor) =>
        tensor.Units.Most(graph.Step.MinContext, graph.Step.MaxContext) > 0 && tensor.UnitBytes > 0 ? null : $"{tensor.Name} has no size";

    private static string? PlaceFault(Graph graph)
    {
        foreach (var tensor in graph.Tensors)
        {
            if (tensor is { Role: TensorRole.Value, IsOnHost: false } && (tensor.Offset < 0 || tensor.Offset + tensor.Units.Most(graph.Step.MinContext, graph.Step.MaxContext) > graph.ArenaBytes))
                return $"{tensor.Name} has no place in the arena";
        }
        return null;
    }
}
