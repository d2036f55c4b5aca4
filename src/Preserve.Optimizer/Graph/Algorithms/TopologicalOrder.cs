using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Stable topological order: of the vertices that are ready, the smallest comes first (Kahn, CACM 5(11), 1962).</summary>
internal static class TopologicalOrder
{
    /// <summary>The vertices in order, or fewer than all where the graph has a cycle.</summary>
    public static List<int> Of(IDirectedGraph graph)
    {
        var missing = new int[graph.Count];
        for (var v = 0; v < graph.Count; v++)
        {
            foreach (var successor in graph.Successors(v))
                missing[successor]++;
        }
        var ready = new SortedSet<int>();
        for (var v = 0; v < graph.Count; v++)
        {
            if (missing[v] == 0)
                ready.Add(v);
        }
        var order = new List<int>(graph.Count);
        while (ready.Count > 0)
        {
            var v = ready.Min;
            ready.Remove(v);
            order.Add(v);
            foreach (var successor in graph.Successors(v))
            {
                if (--missing[successor] == 0)
                    ready.Add(successor);
            }
        }
        return order;
    }
}
