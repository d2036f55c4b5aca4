using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>What the graph algorithms need to know: vertices 0 to Count - 1 and where their edges go. A library that
/// brings these algorithms can take their place behind it.</summary>
internal interface IDirectedGraph
{
    int Count { get; }

    /// <summary>The heads of the vertex's edges, ascending.</summary>
    IReadOnlyList<int> Successors(int vertex);
}
