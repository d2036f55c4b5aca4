using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Prefetches what another rule chooses, and nothing in some ranges of contexts.</summary>
/// <param name="rule">The rule.</param>
/// <param name="pauses">The ranges.</param>
internal sealed class PausedRule(IPrefetchRule rule, IReadOnlyList<ContextRange> pauses) : IPrefetchRule
{
    public List<PrefetchWindow> WindowsOf(Graph graph, DataFlow flow) => rule.WindowsOf(graph, flow);

    public void Choose(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        rule.Choose(graph, flow, windows);
        foreach (var window in windows)
        {
            foreach (var candidate in window.Candidates)
                candidate.Chosen = candidate.Chosen is { } chosen ? chosen with { End = Paused(chosen, graph.Step) } : null;
        }
    }

    private Amount Paused(UnitRange chosen, StepSpec step)
    {
        var end = chosen.End;
        foreach (var pause in pauses)
            end = Amount.WhereNotNegative(Amount.Context - pause.First, Amount.WhereNotNegative(Amount.Context - (pause.Last + 1), end, chosen.Begin), end);
        return end.Within(step.MinContext, step.MaxContext);
    }
}
