using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Gives each value a place in the arena. Two values share bytes only where every access of one ends before the
/// other is written, whatever the streams do. The largest are placed first, each at the lowest place that is free.</summary>
/// <remarks>Precondition: streams are assigned. The values of one name have one place in all layers.</remarks>
internal sealed class PlanMemory : IPass
{
    /// <summary>Bytes that places are multiples of: the widest vector access of the devices, and a whole L2 line of each.</summary>
    public const long Alignment = 256;

    public string Name => "plan memory";

    public bool Run(Graph graph)
    {
        var clocks = EventOrder.Of(graph);
        var instances = Instances(graph, clocks);
        var placed = new List<(long Offset, long End, List<ValueLife> Lives)>();
        foreach (var (tensor, size) in graph.Tensors.Where(t => t is { Role: TensorRole.Value, IsOnHost: false }).Select(t => (Tensor: t, Size: SizeOf(graph, t))).OrderByDescending(t => t.Size))
        {
            var lives = instances[tensor];
            var offset = 0L;
            foreach (var other in placed)
            {
                if (other.Offset - offset >= size)
                    break;
                if (other.End > offset && Conflict(lives, other.Lives, clocks))
                    offset = other.End;
            }
            var end = Align(offset + size);
            tensor.Offset = offset;
            graph.ArenaBytes = Math.Max(graph.ArenaBytes, end);
            var place = placed.FindIndex(o => o.Offset > offset);
            placed.Insert(place < 0 ? placed.Count : place, (offset, end, lives));
            RefuseSelfConflict(graph, tensor, lives, clocks);
        }
        return true;
    }

    private static Dictionary<GraphTensor, List<ValueLife>> Instances(Graph graph, StreamClocks clocks)
    {
        var lives = new Dictionary<GraphReference, ValueLife>(graph.Operators.Count);
        var byTensor = new Dictionary<GraphTensor, List<ValueLife>>(graph.Tensors.Count);
        foreach (var tensor in graph.Tensors)
            byTensor.Add(tensor, []);
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            foreach (var read in graph.Operators[i].Reads)
            {
                if (lives.TryGetValue(read, out var life))
                    life.Touch(i, clocks);
            }
            foreach (var write in graph.Operators[i].Writes)
            {
                if (write.Tensor.Role != TensorRole.Value)
                    continue;
                var life = new ValueLife(i, clocks) { IsOfNoLayer = !write.Tensor.PerLayer };
                lives.Add(write, life);
                byTensor[write.Tensor].Add(life);
            }
        }
        return byTensor;
    }

    private static bool Conflict(List<ValueLife> left, List<ValueLife> right, StreamClocks clocks) =>
        OutlastsOne(left, right, clocks) || OutlastsOne(right, left, clocks);

    /// <summary>Whether a value of one name may still be alive when one of the other, not written earlier in program order, is.</summary>
    private static bool OutlastsOne(List<ValueLife> lives, List<ValueLife> others, StreamClocks clocks)
    {
        foreach (var life in lives)
        {
            // What a stream knows to be done it does not forget: its first writer speaks for its later ones.
            var known = 0;
            foreach (var other in others)
            {
                var stream = 1 << (int)clocks.StreamOf(other.Written);
                if (other.Written < life.Written || (known & stream) != 0)
                    continue;
                if (life.IsResult)
                    return true;
                known |= stream;
                if (!EndsBefore(life, other, clocks))
                    return true;
            }
        }
        return false;
    }

    private static bool EndsBefore(ValueLife first, ValueLife second, StreamClocks clocks) =>
        clocks.AllHappenBefore(first.LastByStream, second.Written);

    private static void RefuseSelfConflict(Graph graph, GraphTensor tensor, List<ValueLife> lives, StreamClocks clocks)
    {
        for (var i = 1; i < lives.Count; i++)
        {
            var (before, after) = (lives[i - 1], lives[i]);
            // An operator on single elements may write where it reads, also within a collective's kernel.
            var inPlace = before.Last == after.Written && graph.Operators[after.Written].Operation is ElementwiseOperation or CollectiveOperation { Norm.Adds: true };
            if (!inPlace && !EndsBefore(before, after, clocks))
                throw new PlanningException($"'{tensor.Name}' of two layers is alive at once, and has only one place in the arena");
        }
    }

    /// <summary>Bytes that it has at most: what is copied grows with the context, and its place holds all of it.</summary>
    private static long SizeOf(Graph graph, GraphTensor tensor) => tensor.Units.Most(graph.Step.MinContext, graph.Step.MaxContext);

    private static long Align(long offset) => (offset + Alignment - 1) / Alignment * Alignment;

    /// <summary>The operator that writes a value, and all that touch it.</summary>
    private sealed class ValueLife
    {
        public ValueLife(int written, StreamClocks clocks)
        {
            Written = written;
            LastByStream = StreamClocks.Nothing();
            Touch(written, clocks);
        }

        public int Written { get; }

        /// <summary>Whether it belongs to no layer.</summary>
        public bool IsOfNoLayer { get; init; }

        /// <summary>Whether it belongs to no layer and nobody reads it: then it is what the step is for, and stays.</summary>
        public bool IsResult => IsOfNoLayer && Last == Written;

        /// <summary>The last operator that touches it.</summary>
        public int Last { get; private set; }

        /// <summary>The last operator of each stream that touches it, or -1: those before it on its stream are done when it is.</summary>
        public int[] LastByStream { get; }

        public void Touch(int op, StreamClocks clocks)
        {
            Last = op;
            LastByStream[(int)clocks.StreamOf(op)] = op;
        }
    }
}
