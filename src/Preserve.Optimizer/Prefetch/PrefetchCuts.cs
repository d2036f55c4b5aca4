using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Where each tensor is cut: the first part is prefetched a window early, the next in its own window, the next beside the kernel
/// before its reader, and the rest is left to the reader. In order of consumption, and alike in all layers.</summary>
/// <param name="ends">Ends of the parts by tensor, in units: rising, none above the tensor's own.</param>
internal sealed class PrefetchCuts(Dictionary<string, long[]> ends)
{
    /// <summary>Parts of a tensor that are prefetched, by <see cref="PrefetchReach"/>.</summary>
    public const int Parts = 3;

    /// <summary>No tensor is cut, and nothing prefetched.</summary>
    public static PrefetchCuts Nothing { get; } = new([]);

    /// <summary>The cuts between parts of chosen lengths.</summary>
    /// <param name="parts">The parts.</param>
    /// <param name="units">Length of each.</param>
    public static PrefetchCuts Between(List<PrefetchPart> parts, long[] units)
    {
        var ends = new Dictionary<string, long[]>(StringComparer.Ordinal);
        for (var part = 0; part < parts.Count; part++)
        {
            if (!ends.TryGetValue(parts[part].Tensor, out var cuts))
                ends.Add(parts[part].Tensor, cuts = new long[Parts]);
            for (var reach = (int)parts[part].Reach; reach < Parts; reach++)
                cuts[reach] += units[part];
        }
        return new PrefetchCuts(ends);
    }

    /// <summary>The part of a candidate that is prefetched in its window, or null for none of it.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="step">The step: at contexts with fewer cached tokens than the cut, all of them are meant.</param>
    public UnitRange? PartOf(PrefetchCandidate candidate, StepSpec step)
    {
        if (!candidate.Considered || !ends.TryGetValue(candidate.Tensor.Tensor.Name, out var cuts))
            return null;
        var reach = (int)candidate.Reach;
        var (begin, end) = (reach == 0 ? 0 : cuts[reach - 1], cuts[reach]);
        return end <= begin ? null : new UnitRange(Cut(begin), Cut(end));

        Amount Cut(long at) => at == 0 ? 0
            : at >= candidate.Whole.End.At(step.MaxContext) ? candidate.Whole.End
            : Amount.Min(at, candidate.Whole.End).Within(step.MinContext, step.MaxContext);
    }
}

/// <summary>Prefetches the parts that cuts say, wherever a prefetch may run.</summary>
/// <param name="cuts">The parts.</param>
internal sealed class ChosenRule(PrefetchCuts cuts) : IPrefetchRule
{
    public List<PrefetchWindow> WindowsOf(Graph graph, DataFlow flow) => PrefetchWindows.Everywhere(graph, flow);

    public void Choose(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        foreach (var window in windows)
        {
            foreach (var candidate in window.Candidates)
                candidate.Chosen = cuts.PartOf(candidate, graph.Step);
        }
    }
}

/// <summary>Prefetches a stand-in of every part, whose ends the search moves: a plan with all that could be chosen.</summary>
internal sealed class TemplateRule : IPrefetchRule
{
    /// <summary>The windows and the graph's edges as the rule saw them.</summary>
    public PrefetchProblem? Problem { get; private set; }

    /// <summary>The end of a part in the template: no unit of a tensor that is worth a prefetch ends there.</summary>
    public static Amount EndOf(PrefetchReach reach) => 1 + (int)reach;

    public List<PrefetchWindow> WindowsOf(Graph graph, DataFlow flow) => PrefetchWindows.Everywhere(graph, flow);

    public void Choose(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        foreach (var window in windows)
        {
            foreach (var candidate in window.Candidates)
            {
                if (candidate.Considered && candidate.Whole.End.At(graph.Step.MaxContext) > PrefetchCuts.Parts)
                    candidate.Chosen = new UnitRange((int)candidate.Reach, EndOf(candidate.Reach));
            }
        }
        Problem = new PrefetchProblem(graph, flow, windows);
    }
}
