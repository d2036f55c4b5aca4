namespace Preserve.Cpu;

/// <summary>Numbers that a model is computed with and that no plan depends on.</summary>
/// <param name="NormEpsilon">What a norm adds below its root; above 0.</param>
/// <param name="RotaryBase">Base of the rotations' wavelengths (RoFormer, arXiv 2104.09864); above 0.</param>
/// <param name="AttentionSoftCap">Bound of attention scores, where a layer has one; above 0.</param>
/// <param name="LogitSoftCap">Bound of the logits, where a model has one; above 0.</param>
public sealed record ModelConstants(
    float NormEpsilon = 1e-5f, double RotaryBase = 10_000, float AttentionSoftCap = 50, float LogitSoftCap = 30)
{
    /// <summary>Those of most published models; the bounds are Gemma-2's (arXiv 2408.00118).</summary>
    public static ModelConstants Default { get; } = new();
}
