using System.Collections.Generic;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Drafts of a deployment's steps with splits of the KV-cache, each planned once: what was tried is taken as it is.</summary>
/// <param name="deployment">The deployment.</param>
/// <param name="laws">The cost laws of the device.</param>
/// <param name="cancellationToken">Stops the planning.</param>
internal sealed class SplitDrafts(DeploymentSpec deployment, ICostLaws laws, CancellationToken cancellationToken)
{
    private readonly Dictionary<(StepSpec, CacheSplit), StepDraft> _unprefetched = [];
    private readonly Dictionary<(StepSpec, CacheSplit), StepDraft> _prefetched = [];
    private readonly List<(PrefillSpec Step, CacheSplit Stored, StepDraft Draft)> _prefills = [];

    /// <summary>Times of the drafts' plans.</summary>
    public PlanTimes Times { get; } = new(laws, cancellationToken);

    /// <summary>A decode step with a split, and nothing prefetched.</summary>
    public StepDraft Unprefetched(DecodeSpec step, CacheSplit split)
    {
        if (!_unprefetched.TryGetValue((step, split), out var draft))
            _unprefetched.Add((step, split), draft = Planner.DraftPrefetched(deployment with { Prefetch = PrefetchPolicy.None }, step, laws, split, cancellationToken));
        return draft;
    }

    /// <summary>A decode step with a split and the prefetches of the policy.</summary>
    public StepDraft Prefetched(DecodeSpec step, CacheSplit split)
    {
        if (deployment.Prefetch == PrefetchPolicy.None)
            return Unprefetched(step, split);
        if (!_prefetched.TryGetValue((step, split), out var draft))
            _prefetched.Add((step, split), draft = Planner.DraftPrefetched(deployment, step, laws, split, cancellationToken, Times));
        return draft;
    }

    /// <summary>A prefill that stores activations.</summary>
    public StepDraft Storing(PrefillSpec prefill, CacheSplit stored)
    {
        if (_prefills.Find(p => p.Step == prefill && p.Stored.RecomputesAs(stored)) is { Draft: { } known })
            return known;
        var draft = Planner.DraftPrefetched(deployment, prefill, laws, stored, cancellationToken, Times);
        _prefills.Add((prefill, stored, draft));
        return draft;
    }
}
