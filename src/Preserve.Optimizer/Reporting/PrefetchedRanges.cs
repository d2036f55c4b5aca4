using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Which ranges of which layers' tensors a plan prefetches, and beside what.</summary>
internal sealed class PrefetchedRanges
{
    private readonly List<(GraphOperator Host, PrefetchCandidate Candidate, int First, int Last, int Stride, long Begin, long End)> _ranges = [];

    private PrefetchedRanges()
    {
    }

    /// <summary>The ranges of a graph.</summary>
    /// <param name="graph">The graph, repeats rolled.</param>
    /// <param name="layersOf">The layers that an operator stands in; -1 for none.</param>
    /// <param name="context">The context.</param>
    public static PrefetchedRanges Of(Graph graph, Func<GraphOperator, (int First, int Last, int Stride)> layersOf, int context)
    {
        var all = new PrefetchedRanges();
        foreach (var window in graph.Windows)
        {
            var (first, last, stride) = layersOf(window.Host);
            foreach (var candidate in window.Candidates)
            {
                if (candidate.Chosen is { } chosen)
                    all._ranges.Add((window.Host, candidate, candidate.Tensor.Layer.Resolve(first), candidate.Tensor.Layer.Resolve(last), stride, chosen.Begin.At(context), chosen.End.At(context)));
            }
        }
        return all;
    }

    /// <summary>Units of a candidate's tensor that are prefetched, of the same layer, and not by the candidate itself; and beside what.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="hostLayer">The layer of its host, of several the last.</param>
    public (long Units, IReadOnlyList<string> Hosts) Elsewhere(PrefetchCandidate candidate, int hostLayer)
    {
        var layer = candidate.Tensor.Layer.Resolve(hostLayer);
        var own = _ranges.FirstOrDefault(r => ReferenceEquals(r.Candidate, candidate));
        var (units, covered, hosts) = (0L, 0L, new List<string>());
        foreach (var (host, _, _, _, _, from, end) in _ranges.Where(r => r.Candidate != candidate && ReferenceEquals(r.Candidate.Tensor.Tensor, candidate.Tensor.Tensor) && Holds(r, layer)).OrderBy(r => r.Begin))
        {
            var begin = Math.Max(from, covered);
            covered = Math.Max(covered, end);
            var more = Math.Max(0, covered - begin) - Math.Max(0, Math.Min(covered, own.End) - Math.Max(begin, own.Begin));
            if (more > 0 && !hosts.Contains(host.Label))
                hosts.Add(host.Label);
            units += more;
        }
        return (units, hosts);
    }

    private static bool Holds((GraphOperator Host, PrefetchCandidate Candidate, int First, int Last, int Stride, long Begin, long End) range, int layer) =>
        layer == range.First || layer == range.Last
        || (range.Stride != 0 && layer > Math.Min(range.First, range.Last) && layer < Math.Max(range.First, range.Last) && (layer - range.First) % range.Stride == 0);
}
