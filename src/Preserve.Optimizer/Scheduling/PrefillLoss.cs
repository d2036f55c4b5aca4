using System;

namespace Preserve.Optimizer;

/// <summary>What the prefill of a declared generation takes longer to store the activations that its decode steps recompute from, beside what these gain.</summary>
/// <param name="step">The decode step.</param>
/// <param name="storing">Plans the prefill with what it stores.</param>
/// <param name="transferred">The decode step with everything transferred.</param>
/// <param name="times">Times of plans.</param>
internal sealed class PrefillLoss(DecodeSpec step, Func<CacheSplit, ExecutionPlan> storing, ExecutionPlan transferred, PlanTimes times)
{
    private readonly long _without = times.Of(storing(CacheSplit.None), 0);

    /// <summary>How much longer the prefill takes, in picoseconds.</summary>
    /// <param name="draft">The decode step with a part recomputed.</param>
    public long Of(StepDraft draft) => times.Of(storing(CacheSplit.Stored([(draft.Split!.Split, step)])), 0) - _without;

    /// <summary>What the decode steps gain at all contexts together, or at as many of them as gain enough, in picoseconds. Of a long range every 256th part stands
    /// for the contexts up to the next.</summary>
    /// <param name="draft">The decode step with a part recomputed.</param>
    /// <param name="enough">A gain from which on no further context is looked at.</param>
    public long GainOf(StepDraft draft, long enough)
    {
        var (first, last) = (step.MinContext, step.MaxContext);
        var stride = ((last - first) / ContextCheck.Finest) + 1;
        var gain = 0L;
        for (var context = first; context <= last && gain < enough; context += stride)
            gain += (times.Of(transferred, context) - times.Of(draft.Plan, context)) * Math.Min(stride, last - context + 1);
        return gain;
    }
}
