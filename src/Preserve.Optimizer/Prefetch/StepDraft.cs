namespace Preserve.Optimizer;

/// <summary>A planned step before it is proved and reported on.</summary>
/// <param name="Graph">The finished graph.</param>
/// <param name="Plan">The plan.</param>
/// <param name="Guard">What the guard said of it; null where nothing was searched for.</param>
/// <param name="Choice">The choice of a search that it was drawn from, which verdicts are on; null where nothing was searched for.</param>
internal sealed record StepDraft(Graph Graph, ExecutionPlan Plan, GuardReport? Guard, PrefetchChoice? Choice)
{
    /// <summary>Ranges of contexts in which nothing is prefetched because it would cost time there; ascending.</summary>
    public EquatableArray<ContextRange> Pauses { get; init; } = [];

    /// <summary>What chose the prefetches; null where nothing was searched for.</summary>
    public IPrefetchRule? Rule { get; init; }

    /// <summary>What became of a KV-cache in host memory; null where it lives on the device.</summary>
    public SplitDecision? Split { get; init; }
}
