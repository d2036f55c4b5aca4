using System;

namespace Preserve.Optimizer;

/// <summary>Longest path by the weights of the vertices.</summary>
internal static class LongestPath
{
    /// <summary>The largest sum of weights along a path.</summary>
    /// <param name="graph">A graph without cycles whose edges go from smaller to larger vertices.</param>
    /// <param name="weight">The weight of a vertex, 0 or more.</param>
    public static long Length(IDirectedGraph graph, Func<int, long> weight)
    {
        var before = new long[graph.Count];
        var longest = 0L;
        for (var v = 0; v < graph.Count; v++)
        {
            var end = checked(before[v] + weight(v));
            longest = Math.Max(longest, end);
            foreach (var successor in graph.Successors(v))
                before[successor] = Math.Max(before[successor], end);
        }
        return longest;
    }
}
