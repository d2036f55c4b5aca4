using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Under each collective the first bytes of what is read after it, up to a budget that was set by hand, whatever the window and the L2 hold:
/// what serving systems with a configured prefetch size do.</summary>
/// <param name="budgetBytes">Bytes under each collective, 0 or more.</param>
internal sealed class FixedBudgetRule(long budgetBytes) : IPrefetchRule
{
    public List<PrefetchWindow> WindowsOf(Graph graph, DataFlow flow) => PrefetchWindows.UnderCollectives(graph, flow);

    public void Choose(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        foreach (var window in windows)
        {
            var left = budgetBytes;
            foreach (var candidate in window.Candidates)
            {
                if (!candidate.Considered)
                    continue;
                var tensor = candidate.Tensor.Tensor;
                var units = Math.Min(left / tensor.UnitBytes, candidate.Whole.Length.At(graph.Step.MaxContext));
                var cuts = new PrefetchCuts(new Dictionary<string, long[]>(StringComparer.Ordinal) { [tensor.Name] = [0, units, units] });
                candidate.Chosen = cuts.PartOf(candidate, graph.Step);
                left -= units * tensor.UnitBytes;
            }
        }
    }
}
