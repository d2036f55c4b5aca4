using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Prefetches what another rule chooses, and nothing beside some hosts.</summary>
/// <param name="rule">The rule.</param>
/// <param name="left">Labels of the hosts, in all their layers.</param>
internal sealed class LeavingRule(IPrefetchRule rule, string[] left) : IPrefetchRule
{
    public List<PrefetchWindow> WindowsOf(Graph graph, DataFlow flow) => rule.WindowsOf(graph, flow);

    public void Choose(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        rule.Choose(graph, flow, windows);
        foreach (var window in windows)
        {
            if (Array.IndexOf(left, window.Host.Label) < 0)
                continue;
            foreach (var candidate in window.Candidates)
                candidate.Chosen = null;
        }
    }
}
