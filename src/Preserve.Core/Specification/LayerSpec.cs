namespace Preserve;

/// <summary>One kind of decoder layer.</summary>
/// <param name="Name">The kind's name, as plans and reports print it.</param>
/// <param name="Norm">The normalisation before each block.</param>
/// <param name="PostNorm">Whether each block's output is normalised too, before it is added (Gemma-2).</param>
/// <param name="Position">How positions enter.</param>
/// <param name="Parallel">Whether attention and feed-forward both read the residual stream, normalised, and are added together.</param>
/// <param name="Attention">The attention block.</param>
/// <param name="FeedForward">The feed-forward blocks; exactly one in a dense layer.</param>
/// <param name="SeparateNorms">Whether the two blocks of a parallel layer each normalise their input with weights of their own
/// (GPT-NeoX); always so where they are not parallel, and then false here.</param>
public sealed record LayerSpec(
    string Name,
    Norm Norm,
    bool PostNorm,
    Position Position,
    bool Parallel,
    AttentionSpec Attention,
    EquatableArray<FeedForwardSpec> FeedForward,
    bool SeparateNorms = false)
{
    /// <summary>Normalisations over the residual stream; a parallel layer usually has one for both blocks.</summary>
    internal int NormCount => (Parallel && !SeparateNorms ? 1 : 2) + (PostNorm ? 2 : 0);

    /// <summary>Number of trained parameters of one such layer.</summary>
    /// <param name="hidden">Width of the residual stream, in elements.</param>
    public long ParameterCount(int hidden)
    {
        checked
        {
            var total = (NormCount * Norm.ParameterCount(hidden)) + Attention.ParameterCount(hidden);
            foreach (var block in FeedForward)
                total += block.ParameterCount(hidden);
            return total;
        }
    }
}

/// <summary>The attention block of a layer. A closed family: <see cref="MultiHeadAttentionSpec"/>.</summary>
public abstract record AttentionSpec
{
    private protected AttentionSpec()
    {
    }

    /// <summary>Number of trained parameters.</summary>
    /// <param name="hidden">Width of the residual stream, in elements.</param>
    public abstract long ParameterCount(int hidden);
}

/// <summary>Multi-head, multi-query or grouped-query attention.</summary>
/// <param name="Heads">Number of query heads.</param>
/// <param name="KeyValueHeads">Number of key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadSize">Elements per head.</param>
/// <param name="Bias">Which projections add a bias.</param>
/// <param name="QueryKeyNorm">Whether queries and keys are normalised per head (Qwen3).</param>
/// <param name="Window">Attended tokens of a sliding window, the token itself included; 0 where all are attended.</param>
/// <param name="SoftCap">Whether attention scores pass through a soft cap (Gemma-2).</param>
public sealed record MultiHeadAttentionSpec(
    int Heads,
    int KeyValueHeads,
    int HeadSize,
    ProjectionBias Bias,
    bool QueryKeyNorm,
    int Window,
    bool SoftCap) : AttentionSpec
{
    /// <inheritdoc/>
    public override long ParameterCount(int hidden)
    {
        checked
        {
            var query = (long)Heads * HeadSize;
            var keyValue = 2L * KeyValueHeads * HeadSize;
            var total = (hidden * (query + keyValue)) + (query * hidden);
            if (Bias != ProjectionBias.None)
                total += query + keyValue;
            if (Bias == ProjectionBias.All)
                total += hidden;
            if (QueryKeyNorm)
                total += 2L * HeadSize;
            return total;
        }
    }
}

/// <summary>A feed-forward block of a layer. A closed family: <see cref="DenseFeedForwardSpec"/>.</summary>
public abstract record FeedForwardSpec
{
    private protected FeedForwardSpec()
    {
    }

    /// <summary>Number of trained parameters.</summary>
    /// <param name="hidden">Width of the residual stream, in elements.</param>
    public abstract long ParameterCount(int hidden);
}

/// <summary>A dense feed-forward block: two matrices, or three where the activation is gated.</summary>
/// <param name="Intermediate">Width between the matrices, in elements.</param>
/// <param name="Activation">The activation; a gated one has a gate matrix beside the up matrix.</param>
/// <param name="Bias">Whether every matrix has a bias.</param>
public sealed record DenseFeedForwardSpec(int Intermediate, Activation Activation, bool Bias) : FeedForwardSpec
{
    /// <inheritdoc/>
    public override long ParameterCount(int hidden)
    {
        checked
        {
            var up = Activation.IsGated() ? 2L : 1L;
            var total = (up + 1) * hidden * Intermediate;
            if (Bias)
                total += (up * Intermediate) + hidden;
            return total;
        }
    }
}
