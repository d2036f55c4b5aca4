namespace Preserve.Optimizer;

/// <summary>What was decided on a KV-cache in host memory.</summary>
/// <param name="Outcome">What was decided.</param>
/// <param name="Split">What is recomputed.</param>
/// <param name="BasePlan">The step with everything transferred and nothing prefetched.</param>
/// <param name="Sizes">What decides whether it can pay, in the kind of layer that recomputes most; null where none could.</param>
/// <param name="MostSparedBytes">Bytes that a split can keep off one rank's link at most, over all layers, at the largest context.</param>
/// <param name="Reason">Why, in one sentence with figures.</param>
internal sealed record SplitDecision(SplitOutcome Outcome, CacheSplit Split, ExecutionPlan BasePlan, SplitSizes? Sizes, long MostSparedBytes, string Reason)
{
    /// <summary>What the memory has room for; null where it had for all that was tried.</summary>
    public SplitRoom? Room { get; init; }
}
