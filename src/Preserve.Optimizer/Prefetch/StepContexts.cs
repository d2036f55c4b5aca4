using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Contexts that stand for all that a step serves.</summary>
internal static class StepContexts
{
    /// <summary>The smallest, a quarter and half of the way, and the largest.</summary>
    public static IEnumerable<int> SampledContexts(this StepSpec step)
    {
        var range = step.MaxContext - step.MinContext;
        return new SortedSet<int> { step.MinContext, step.MinContext + (range / 4), step.MinContext + (range / 2), step.MaxContext };
    }
}
