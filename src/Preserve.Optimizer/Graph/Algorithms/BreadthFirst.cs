using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Breadth-first walks.</summary>
internal static class BreadthFirst
{
    /// <summary>The vertices reached from a start, nearest first and ascending among equals, without the start itself.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="start">Where the walk begins.</param>
    /// <param name="enter">Whether the walk may enter a vertex.</param>
    public static List<int> From(IDirectedGraph graph, int start, Func<int, bool> enter)
    {
        var seen = new bool[graph.Count];
        seen[start] = true;
        var reached = new List<int>();
        for (var next = -1; next < reached.Count; next++)
        {
            foreach (var successor in graph.Successors(next < 0 ? start : reached[next]))
            {
                if (seen[successor] || !enter(successor))
                    continue;
                seen[successor] = true;
                reached.Add(successor);
            }
        }
        return reached;
    }
}
