using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>The published rule (PRESERVE, arXiv 2501.08192): under each collective whole tensors, until the next one does not fit the room.</summary>
/// <remarks>The published text leaves open what happens at the first tensor that does not fit: here the walk stops.</remarks>
/// <param name="roomBytes">Bytes that the L2 keeps at full speed; 0 where it is unknown, negative to prefetch nothing.</param>
internal sealed class PublishedRule(long roomBytes) : IPrefetchRule
{
    /// <summary>Finds the same windows and prefetches nothing in them.</summary>
    public static PublishedRule Nothing { get; } = new(-1);

    public List<PrefetchWindow> WindowsOf(Graph graph, DataFlow flow) => PrefetchWindows.UnderCollectives(graph, flow);

    public void Choose(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        var (first, last) = (graph.Step.MinContext, graph.Step.MaxContext);
        var lastDone = KernelOrder.LastDone(graph, flow);
        var chosen = new Dictionary<GraphReference, PrefetchCandidate>();
        var known = -1;
        foreach (var window in windows)
        {
            // Prefetches run in order: what was done when one before began is done.
            var host = graph.Operators.IndexOf(window.Host);
            var done = Math.Max(known, lastDone[host]);
            var room = (Amount)roomBytes;
            foreach (var earlier in chosen.Values)
            {
                // Of its own weight, where the host shares the matmul's kernel, or beside a host that follows few of the kernels before it.
                if (earlier.Reader > done)
                    room -= earlier.Prefetched;
            }
            foreach (var candidate in window.Candidates)
            {
                candidate.Room = room;
                if (!candidate.Considered)
                    continue;
                var left = room - candidate.Bytes;
                // The whole at the contexts where it fits, none of it at the others.
                var end = Amount.WhereNotNegative(left, candidate.Whole.End, candidate.Whole.Begin).Within(first, last);
                if (end != candidate.Whole.Begin)
                {
                    candidate.Chosen = candidate.Whole with { End = end };
                    known = done;
                    // What the next step reads counts there.
                    if (candidate.Reader >= host)
                        chosen[candidate.Tensor] = candidate;
                }
                // At the contexts where it does not fit, the walk stops: no room for anything that follows.
                room = Amount.WhereNotNegative(left, left, -1).Within(first, last);
            }
        }
    }
}
