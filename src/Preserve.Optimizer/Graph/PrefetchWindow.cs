using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>A collective and what was weighed to run beside it: what the report tells of, kept beside the graph.</summary>
internal sealed class PrefetchWindow(GraphOperator collective)
{
    public GraphOperator Collective { get; } = collective;

    /// <summary>Whether the next collective is the all-gather that ends what this reduce-scatter begins: the prefetch goes on under it.</summary>
    public bool HasSecondHalf { get; init; }

    public List<PrefetchCandidate> Candidates { get; } = [];

    /// <summary>Counts the candidates' layers from the collective's, so that they hold for every layer that the window stands for.</summary>
    public void CountLayersFromCollective()
    {
        if (Collective.Layer < 0)
            return;
        for (var i = 0; i < Candidates.Count; i++)
        {
            var tensor = Candidates[i].Tensor;
            if (tensor.Layer.Kind == LayerIndexKind.Absolute)
                Candidates[i] = Candidates[i] with { Tensor = tensor with { Layer = LayerIndex.FromRepeat(tensor.Layer.Value - Collective.Layer) } };
        }
    }
}

/// <summary>A tensor read after a collective and before the next one.</summary>
/// <param name="Tensor">The tensor, with the range that stands before the step.</param>
/// <param name="Considered">Whether the policy looks at such tensors at all.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Prefetched">Those that are prefetched.</param>
/// <param name="Room">Room in the L2 that was left for it; negative where the walk had stopped.</param>
internal sealed record PrefetchCandidate(GraphReference Tensor, bool Considered, Amount Bytes, Amount Prefetched, Amount Room);
