using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>An operator beside which prefetches may run, and what may be read ahead there: what the report tells of, kept beside the graph.</summary>
internal sealed class PrefetchWindow(GraphOperator host)
{
    /// <summary>A collective, or a kernel while whose fixed cost memory idles.</summary>
    public GraphOperator Host { get; } = host;

    /// <summary>Whether the next collective is the all-gather that ends what this reduce-scatter begins, and the window reaches past it.</summary>
    public bool HasSecondHalf { get; init; }

    /// <summary>Whether it is such an all-gather: what can be read ahead under it is a matter of the window before.</summary>
    public bool IsSecondHalf { get; init; }

    /// <summary>Whether a candidate is read before the next collective, the two halves of one taken together.</summary>
    public bool Reaches(PrefetchCandidate candidate) =>
        !IsSecondHalf && (candidate.Reach == PrefetchReach.Window || (HasSecondHalf && candidate.Reach == PrefetchReach.OverNext));

    /// <summary>In the order in which they are needed.</summary>
    public List<PrefetchCandidate> Candidates { get; } = [];

    /// <summary>Counts the candidates' layers from the host's, so that they hold for every layer that the window stands for.</summary>
    public void CountLayersFromHost()
    {
        if (Host.Layer < 0)
            return;
        foreach (var candidate in Candidates)
        {
            if (candidate.Tensor.Layer.Kind == LayerIndexKind.Absolute)
                candidate.Tensor = candidate.Tensor with { Layer = LayerIndex.FromRepeat(candidate.Tensor.Layer.Value - Host.Layer) };
        }
    }
}

/// <summary>How far ahead of its reader a window stands.</summary>
internal enum PrefetchReach
{
    /// <summary>Another collective comes between the window and the reader.</summary>
    OverNext,

    /// <summary>The reader comes after this collective and before the next one.</summary>
    Window,

    /// <summary>The host is the kernel before the reader, with no collective between.</summary>
    Beside,
}

/// <summary>A tensor that is read after a window's host.</summary>
/// <param name="tensor">The tensor, with the range that stands before the step.</param>
/// <param name="reach">How far ahead of its reader the window stands.</param>
/// <param name="reader">The place of the operator that reads it, as the graph counts before prefetches stand in it.</param>
/// <param name="op">That operator.</param>
/// <param name="considered">Whether a policy looks at such tensors at all.</param>
internal sealed class PrefetchCandidate(GraphReference tensor, PrefetchReach reach, int reader, GraphOperator op, bool considered)
{
    /// <summary>The tensor, with the range that stands before the step.</summary>
    public GraphReference Tensor { get; set; } = tensor;

    public PrefetchReach Reach { get; } = reach;

    /// <summary>The operator that reads it, as the graph counts before prefetches stand in it.</summary>
    public int Reader { get; } = reader;

    /// <summary>That operator.</summary>
    public GraphOperator Operator { get; } = op;

    /// <summary>Whether a policy would look at it, if the deployment let it.</summary>
    public bool IsMatrixOrCache { get; } = tensor.Tensor.IsMatrix || tensor.Tensor.Role == TensorRole.KeyValues;

    /// <summary>Whether a policy looks at such tensors at all: matrices and the KV-cache.</summary>
    public bool Considered { get; } = considered;

    public Amount Bytes { get; } = tensor.Bytes;

    /// <summary>What is prefetched of it here; null for nothing.</summary>
    public UnitRange? Chosen { get; set; }

    /// <summary>Bytes of that.</summary>
    public Amount Prefetched => Chosen is null ? 0 : Chosen.Length * Tensor.Tensor.UnitBytes;

    /// <summary>Room in the L2 that was left for it by the published rule; negative where its walk had stopped.</summary>
    public Amount Room { get; set; }

    /// <summary>The whole of what stands before the step.</summary>
    public UnitRange Whole { get; } = tensor.Range ?? new UnitRange(0, tensor.Tensor.Units);
}
