using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Who reads what whom wrote: the edges between operators.</summary>
internal sealed class DataFlow : IDirectedGraph
{
    private readonly List<int>[] _successors;
    private readonly List<int>[] _predecessors;

    private DataFlow(int count)
    {
        _successors = new List<int>[count];
        _predecessors = new List<int>[count];
        for (var i = 0; i < count; i++)
            (_successors[i], _predecessors[i]) = ([], []);
    }

    public int Count => _successors.Length;

    /// <summary>The edges of a graph whose operators are in program order. A prefetch may begin when its host may: it has an edge from the
    /// writers of what the host reads, and, where the host is a kernel, from the kernel before it.</summary>
    public static DataFlow Of(Graph graph)
    {
        var flow = new DataFlow(graph.Operators.Count);
        var writers = new Dictionary<GraphReference, int>(graph.Operators.Count);
        var (kernel, before, attention) = (-1, -1, -1);
        var copied = Copied(graph);
        var matrices = new Dictionary<int, int>();
        var saves = copied.Count == 0 ? null : new SavesInTurn(graph);
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var op = graph.Operators[i];
            foreach (var read in op.Window?.Reads ?? op.Reads)
            {
                if (writers.TryGetValue(read, out var writer))
                    flow.Add(writer, i);
            }
            // The host is the last kernel above.
            if (op.Window is { IsCollective: false } && before >= 0)
                flow.Add(before, i);
            if (op.IsKernel)
                (kernel, before) = (i, kernel);
            // What is brought for a layer takes the place of what was brought for the layer two before, also where that is of another kind.
            if (op.Operation is TransferOperation { Direction: TransferDirection.HostToDevice })
            {
                if (!op.Writes[0].Tensor.IsMatrix && attention >= 0)
                    flow.Add(attention, i);
                else if (op.Writes[0].Tensor.IsMatrix && matrices.TryGetValue(op.Writes[0].Layer.Value - 2, out var reader))
                    flow.Add(reader, i);
            }
            if (op.Operation is AttentionOperation)
                attention = i;
            foreach (var write in op.Writes)
            {
                writers[write] = i;
                // The values of all layers share one place: what a copy brings or takes away is written again only when all who
                // touched it before are done.
                if (!copied.TryGetValue(write.Tensor, out var touched))
                    continue;
                foreach (var other in touched)
                    flow.Add(other, i);
                if (saves!.Before(op, write) is >= 0 and var save)
                    flow.Add(save, i);
                touched.Clear();
                touched.Add(i);
            }
            saves?.Note(op, i);
            foreach (var read in op.Reads)
            {
                if (read.Tensor is { IsMatrix: true, Role: TensorRole.Value })
                    matrices[read.Layer.Value] = i;
                if (copied.TryGetValue(read.Tensor, out var touched))
                    touched.Add(i);
            }
        }
        return flow;
    }

    /// <summary>The last copy to the host of each turn of the batches, where there are several: what a turn takes to the host lies where that of
    /// the turn two before did, and is written when it is there.</summary>
    private sealed class SavesInTurn(Graph graph)
    {
        private readonly int _batches = graph.Operators.Count == 0 ? 1 : graph.Operators.Max(o => o.Batch) + 1;
        private readonly HashSet<GraphTensor> _saved = [.. graph.Operators.Where(o => o.Operation is TransferOperation { Direction: TransferDirection.DeviceToHost }).Select(o => o.Reads[0].Tensor)];
        private readonly Dictionary<int, int> _last = [];

        /// <summary>What has to be done before a value is written, or -1.</summary>
        public int Before(GraphOperator op, GraphReference write) =>
            _batches > 1 && _saved.Contains(write.Tensor) && _last.TryGetValue((op.Layer * _batches) + op.Batch - 2, out var save) ? save : -1;

        public void Note(GraphOperator op, int place)
        {
            if (op.Operation is TransferOperation { Direction: TransferDirection.DeviceToHost })
                _last[(op.Layer * _batches) + op.Batch] = place;
        }
    }

    /// <summary>The values that copies touch, each with nobody who has touched it yet.</summary>
    private static Dictionary<GraphTensor, List<int>> Copied(Graph graph)
    {
        var copied = new Dictionary<GraphTensor, List<int>>();
        foreach (var op in graph.Operators)
        {
            if (!op.IsTransfer)
                continue;
            foreach (var reference in op.Reads.Concat(op.Writes))
            {
                if (reference.Tensor is { Role: TensorRole.Value, IsOnHost: false })
                    copied[reference.Tensor] = [];
            }
        }
        return copied;
    }

    public IReadOnlyList<int> Successors(int vertex) => _successors[vertex];

    /// <summary>The tails of the edges that lead to a vertex.</summary>
    public List<int> Predecessors(int vertex) => _predecessors[vertex];

    private void Add(int tail, int head)
    {
        if (tail == head || _predecessors[head].Contains(tail))
            return;
        _predecessors[head].Add(tail);
        _successors[tail].Add(head);
    }
}
