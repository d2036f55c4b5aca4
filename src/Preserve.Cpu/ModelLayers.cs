namespace Preserve.Cpu;

/// <summary>The layers of a model, one by one.</summary>
internal static class ModelLayers
{
    /// <summary>The layer at each place of the stack.</summary>
    public static LayerSpec[] LayerSpecs(this ModelSpec model) =>
        [.. model.Stack.SelectMany(g => Enumerable.Repeat(g.Pattern, g.Repeat).SelectMany(p => p))];

    /// <summary>The layer's attention.</summary>
    /// <exception cref="NotSupportedException">It is of another kind than this backend computes.</exception>
    public static MultiHeadAttentionSpec HeadedAttention(this LayerSpec layer) =>
        layer.Attention as MultiHeadAttentionSpec ?? throw new NotSupportedException($"attention of kind {layer.Attention.GetType().Name} is not computed here");

    /// <summary>The layer's feed-forward block.</summary>
    /// <exception cref="NotSupportedException">It is of another kind than this backend computes.</exception>
    public static DenseFeedForwardSpec DenseBlock(this LayerSpec layer) =>
        layer.FeedForward[0] as DenseFeedForwardSpec ?? throw new NotSupportedException($"a feed-forward block of kind {layer.FeedForward[0].GetType().Name} is not computed here");
}
