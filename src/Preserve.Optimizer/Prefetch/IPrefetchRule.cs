using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Says where prefetches may run, and how much of each candidate is read there.</summary>
internal interface IPrefetchRule
{
    /// <summary>The places, in program order.</summary>
    /// <param name="graph">A graph whose collectives stand.</param>
    /// <param name="flow">Its edges.</param>
    List<PrefetchWindow> WindowsOf(Graph graph, DataFlow flow);

    /// <summary>Sets what is prefetched of each candidate.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="flow">Its edges.</param>
    /// <param name="windows">The places that the rule named.</param>
    void Choose(Graph graph, DataFlow flow, List<PrefetchWindow> windows);
}
