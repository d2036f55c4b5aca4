using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>A collective and what was weighed to run beside it: what the report tells of, kept beside the graph.</summary>
internal sealed class PrefetchWindow(GraphOperator collective)
{
    public GraphOperator Collective { get; } = collective;

    public List<PrefetchCandidate> Candidates { get; } = [];
}

/// <summary>A tensor read after a collective and before the next one.</summary>
/// <param name="Tensor">The tensor, with the range that stands before the step.</param>
/// <param name="Considered">Whether the policy looks at such tensors at all.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Prefetched">Those that are prefetched.</param>
/// <param name="Room">Room in the L2 that was left for it; negative where the walk had stopped.</param>
internal sealed record PrefetchCandidate(TensorReference Tensor, bool Considered, Amount Bytes, Amount Prefetched, Amount Room);
