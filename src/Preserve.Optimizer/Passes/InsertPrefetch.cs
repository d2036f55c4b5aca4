using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Puts prefetches beside each collective, by the published pass (PRESERVE, arXiv 2501.08192): breadth-first over
/// the collective's successors, not past the next collective; at a matmul its weight, at an attention the cached keys and
/// values; whole tensors, until the next one does not fit the room.</summary>
/// <remarks>Precondition: collectives stand. The published text leaves open what happens at the first tensor that does not
/// fit: here the walk stops. The step's last collective looks at the first layer of the next step: nothing between offers a
/// candidate, because the embedding's row depends on the token that is being chosen.</remarks>
/// <param name="policy">What may be prefetched.</param>
/// <param name="roomBytes">Bytes that the L2 keeps at full speed; 0 where it is unknown.</param>
internal sealed class InsertPrefetch(PrefetchPolicy policy, long roomBytes) : IPass
{
    public string Name => "insert prefetch";

    public bool Run(Graph graph)
    {
        var flow = DataFlow.Of(graph);
        var collectives = Enumerable.Range(0, graph.Operators.Count).Where(i => graph.Operators[i].IsCollective).ToList();
        if (collectives.Count == 0)
            return false;

        var prefetches = new Dictionary<GraphOperator, List<GraphOperator>>();
        for (var i = 0; i < collectives.Count; i++)
        {
            var collective = graph.Operators[collectives[i]];
            var window = new PrefetchWindow(collective) { HasSecondHalf = PrefetchReach.HasSecondHalf(graph, collectives, i) };
            Weigh(graph, window, PrefetchReach.Of(graph, flow, collectives, i), roomBytes - PrefetchReach.OwnBytes(collective, graph.Windows));
            graph.Windows.Add(window);
            prefetches.Add(collective, Insert(graph, window));
        }
        foreach (var window in graph.Windows)
            window.CountLayersFromCollective();

        var operators = new List<GraphOperator>();
        foreach (var op in graph.Operators)
        {
            operators.Add(op);
            if (prefetches.TryGetValue(op, out var beside))
                operators.AddRange(beside);
        }
        graph.Operators = operators;
        return prefetches.Values.Any(p => p.Count > 0);
    }

    private void Weigh(Graph graph, PrefetchWindow window, List<int> successors, Amount room)
    {
        room = policy == PrefetchPolicy.None ? -1 : room;
        var seen = new HashSet<GraphReference>();
        foreach (var index in successors)
        {
            var op = graph.Operators[index];
            foreach (var read in op.Reads)
            {
                var tensor = read.Tensor;
                if (tensor.Role == TensorRole.Value || op.Writes.Contains(read) || IsNew(read) || !seen.Add(read))
                    continue;
                var considered = tensor.Role == TensorRole.KeyValues || (tensor.IsMatrix && op.Operation is MatMulOperation or CollectiveOperation { MatMul: not null });
                var bytes = read.Bytes;
                if (!considered)
                {
                    window.Candidates.Add(new PrefetchCandidate(read, considered, bytes, 0, room));
                    continue;
                }
                var (first, last) = (graph.Step.MinContext, graph.Step.MaxContext);
                var left = room - bytes;
                window.Candidates.Add(new PrefetchCandidate(read, considered, bytes, Amount.WhereNotNegative(left, bytes, 0).Within(first, last), room));
                // At the contexts where it does not fit, the walk stops: no room for anything that follows.
                room = Amount.WhereNotNegative(left, left, -1).Within(first, last);
            }
        }
    }

    /// <summary>Whether the range is written in this step, and so cannot be read before.</summary>
    private static bool IsNew(GraphReference read) =>
        read.Tensor.Role == TensorRole.KeyValues && (read.Range is null || read.Range.End == read.Tensor.Units);

    private static List<GraphOperator> Insert(Graph graph, PrefetchWindow window)
    {
        var operators = new List<GraphOperator>();
        foreach (var candidate in window.Candidates)
        {
            if (candidate.Prefetched.IsZero)
                continue;
            operators.Add(new GraphOperator("under_" + window.Collective.Label, window.Collective.Layer, new PrefetchOperation())
            {
                Window = window.Collective,
                Reads = [candidate.Prefetched == candidate.Bytes ? candidate.Tensor : Prefix(graph, candidate)],
            });
        }
        return operators;
    }

    /// <summary>The whole range at the contexts where it is prefetched, none of it at the others.</summary>
    private static GraphReference Prefix(Graph graph, PrefetchCandidate candidate)
    {
        var range = candidate.Tensor.Range ?? new UnitRange(0, candidate.Tensor.Tensor.Units);
        var end = Amount.WhereNotNegative(candidate.Room - candidate.Bytes, range.End, range.Begin).Within(graph.Step.MinContext, graph.Step.MaxContext);
        return candidate.Tensor with { Range = new UnitRange(range.Begin, end) };
    }
}
