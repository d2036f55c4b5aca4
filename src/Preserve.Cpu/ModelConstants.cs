namespace Preserve.Cpu;

/// <summary>Numbers that a model is computed with and that no plan depends on.</summary>
/// <param name="NormEpsilon">What a norm adds below its root; above 0.</param>
/// <param name="RotaryBase">Base of the rotations' wavelengths (RoFormer, arXiv 2104.09864); above 0.</param>
/// <param name="AttentionSoftCap">Bound of attention scores, where a layer has one; above 0.</param>
/// <param name="LogitSoftCap">Bound of the logits, where a model has one; above 0.</param>
/// <param name="ScoreFactor">What attention scores are multiplied by; above 0. Null for one over the root of the head size. Gemma-2 and 3 give the
/// inverse of its square, <c>query_pre_attn_scalar</c>, Granite the number itself, <c>attention_multiplier</c>.</param>
/// <param name="EmbeddingFactor">What the embedding is multiplied by, where a model scales it; above 0. Null for the root of its width, as Gemma does it. Granite's
/// is <c>embedding_multiplier</c>.</param>
/// <param name="WindowRotaryBase">Base of the rotations in layers with a sliding window; above 0. Null for that of the others. Gemma-3's is <c>rope_local_base_freq</c>.</param>
public sealed record ModelConstants(
    float NormEpsilon = 1e-5f, double RotaryBase = 10_000, float AttentionSoftCap = 50, float LogitSoftCap = 30,
    float? ScoreFactor = null, float? EmbeddingFactor = null, double? WindowRotaryBase = null)
{
    /// <summary>Those of most published models; the bounds are Gemma-2's (arXiv 2408.00118).</summary>
    public static ModelConstants Default { get; } = new();
}
