using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Puts prefetches beside the operators that a rule names, of what it chose.</summary>
/// <remarks>Precondition: collectives stand.</remarks>
/// <param name="rule">What is prefetched, and where.</param>
internal sealed class InsertPrefetch(IPrefetchRule rule) : IPass
{
    public string Name => "insert prefetch";

    public bool Run(Graph graph)
    {
        var flow = DataFlow.Of(graph);
        var windows = rule.WindowsOf(graph, flow);
        rule.Choose(graph, flow, windows);

        var prefetches = new Dictionary<GraphOperator, List<GraphOperator>>();
        foreach (var window in windows)
        {
            if (!prefetches.TryGetValue(window.Host, out var beside))
                prefetches.Add(window.Host, beside = []);
            foreach (var candidate in window.Candidates)
            {
                if (candidate.Chosen is not null)
                    beside.Add(Prefetch(window, candidate, graph.Operators[candidate.Reader]));
            }
            window.CountLayersFromHost();
        }
        graph.Windows.AddRange(windows);

        var operators = new List<GraphOperator>(graph.Operators.Count + windows.Count);
        foreach (var op in graph.Operators)
        {
            operators.Add(op);
            if (prefetches.TryGetValue(op, out var beside))
                operators.AddRange(beside);
        }
        var changed = operators.Count > graph.Operators.Count;
        graph.Operators = operators;
        return changed;
    }

    private static GraphOperator Prefetch(PrefetchWindow window, PrefetchCandidate candidate, GraphOperator reader)
    {
        var part = candidate.Chosen == candidate.Whole ? candidate.Tensor : candidate.Tensor with { Range = candidate.Chosen };
        // What lies in blocks is found by its table.
        List<GraphReference> reads = part.Tensor.BlockUnits == 0 ? [part] : [part, .. reader.Reads.Where(r => r.Tensor.Role == TensorRole.BlockTable)];
        return new("under_" + window.Host.Label, window.Host.Layer, new PrefetchOperation()) { Window = window.Host, Reads = reads };
    }
}
