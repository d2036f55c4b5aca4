using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Finds where prefetches may run in a graph, and what each of these places can read ahead.</summary>
/// <remarks>The windows of the published pass (PRESERVE, arXiv 2501.08192) are the collectives, and the candidates of one are found
/// breadth-first over its successors, not past the next collective. The step's last collective looks at the first layer of the next step:
/// nothing between offers a candidate, because the embedding's row depends on the token that is being chosen.</remarks>
internal static class PrefetchWindows
{
    /// <summary>The collectives, each with what is read before the next one.</summary>
    public static List<PrefetchWindow> UnderCollectives(Graph graph, DataFlow flow)
    {
        var collectives = Collectives(graph);
        var windows = new List<PrefetchWindow>(collectives.Count);
        var seen = new HashSet<GraphReference>();
        for (var i = 0; i < collectives.Count; i++)
        {
            var window = UnderCollective(graph, collectives, i);
            seen.Clear();
            foreach (var reader in WindowReach.Of(graph, flow, collectives, i))
                AddReads(graph.Targets, window, graph.Operators[reader], reader, PrefetchReach.Window, seen);
            windows.Add(window);
        }
        return windows;
    }

    /// <summary>The collectives, each with what is read before the next one and the one after that, and the kernels that another kernel
    /// with a weight or a cache follows; in program order.</summary>
    public static List<PrefetchWindow> Everywhere(Graph graph, DataFlow flow)
    {
        var collectives = Collectives(graph);
        var windows = new List<PrefetchWindow>();
        var seen = new HashSet<GraphReference>();
        var (before, next) = (-1, 0);
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var op = graph.Operators[i];
            if (op.IsCollective)
            {
                var window = UnderCollective(graph, collectives, next);
                seen.Clear();
                AddReads(graph, flow, collectives, next, window, PrefetchReach.Window, seen);
                // The next step is looked at from the last collective only.
                if (next + 2 < collectives.Count)
                    AddReads(graph, flow, collectives, next + 1, window, PrefetchReach.OverNext, seen);
                windows.Add(window);
                next++;
                before = -1;
            }
            else if (op.Operation is MatMulOperation or AttentionOperation)
            {
                if (before >= 0 && graph.Operators[before] is var host)
                {
                    var window = new PrefetchWindow(host);
                    seen.Clear();
                    AddReads(graph.Targets, window, op, i, PrefetchReach.Beside, seen);
                    window.Candidates.RemoveAll(c => !c.Considered);
                    windows.Add(window);
                }
                before = i;
            }
        }
        windows.RemoveAll(w => !w.Host.IsCollective && w.Candidates.Count == 0);
        return windows;
    }

    private static PrefetchWindow UnderCollective(Graph graph, List<int> collectives, int i) => new(graph.Operators[collectives[i]])
    {
        HasSecondHalf = WindowReach.HasSecondHalf(graph, collectives, i),
        IsSecondHalf = i > 0 && WindowReach.HasSecondHalf(graph, collectives, i - 1),
    };

    private static List<int> Collectives(Graph graph) =>
        Enumerable.Range(0, graph.Operators.Count).Where(i => graph.Operators[i].IsCollective).ToList();

    /// <summary>Adds what is read after the <paramref name="i"/>th collective and before the next, and was not seen yet.</summary>
    private static void AddReads(Graph graph, DataFlow flow, List<int> collectives, int i, PrefetchWindow window, PrefetchReach reach, HashSet<GraphReference> seen)
    {
        foreach (var reader in WindowReach.UntilNext(graph, flow, collectives, i))
            AddReads(graph.Targets, window, graph.Operators[reader], reader, reach, seen);
    }

    private static void AddReads(PrefetchTargets targets, PrefetchWindow window, GraphOperator op, int reader, PrefetchReach reach, HashSet<GraphReference> seen)
    {
        // A copy reads no memory that a prefetch could; who recomputes reads what the projection has just read.
        if (op.IsTransfer || op.Operation is RecomputeOperation)
            return;
        foreach (var read in op.Reads)
        {
            var tensor = read.Tensor;
            if (tensor.Role is TensorRole.Value or TensorRole.BlockTable || op.Writes.Contains(read) || IsNew(read) || !seen.Add(read))
                continue;
            var considered = tensor.Role == TensorRole.KeyValues
                ? targets != PrefetchTargets.Weights
                : targets != PrefetchTargets.KeyValues && tensor.IsMatrix && op.Operation is MatMulOperation or CollectiveOperation { MatMul: not null };
            window.Candidates.Add(new PrefetchCandidate(read, reach, reader, op, considered));
        }
    }

    /// <summary>Whether the range is written in this step, and so cannot be read before.</summary>
    private static bool IsNew(GraphReference read) =>
        read.Tensor.Role == TensorRole.KeyValues && (read.Range is null || read.Range.End == read.Tensor.Units);
}
