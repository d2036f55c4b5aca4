using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Who reads what whom wrote: the edges between operators, and from a reference to its writer.</summary>
internal sealed class DataFlow : IDirectedGraph
{
    private readonly List<int>[] _successors;
    private readonly Dictionary<GraphReference, int> _writers = new();

    private DataFlow(int count)
    {
        _successors = new List<int>[count];
        for (var i = 0; i < count; i++)
            _successors[i] = [];
    }

    public int Count => _successors.Length;

    /// <summary>The edges of a graph whose operators are in program order. A prefetch has an edge from the writers of what
    /// its window's collective reads: it may begin when the collective may.</summary>
    public static DataFlow Of(Graph graph)
    {
        var flow = new DataFlow(graph.Operators.Count);
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var op = graph.Operators[i];
            foreach (var read in op.Window?.Reads ?? op.Reads)
            {
                if (flow._writers.TryGetValue(read, out var writer) && !flow._successors[writer].Contains(i))
                    flow._successors[writer].Add(i);
            }
            foreach (var write in op.Writes)
                flow._writers[write] = i;
        }
        return flow;
    }

    public IReadOnlyList<int> Successors(int vertex) => _successors[vertex];

    /// <summary>The operator that writes exactly what is referred to, or -1 for what stands before the step.</summary>
    public int WriterOf(GraphReference reference) => _writers.TryGetValue(reference, out var writer) ? writer : -1;
}
