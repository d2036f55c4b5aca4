namespace Preserve.Cpu;

/// <summary>Functions of single elements.</summary>
internal static class Activations
{
    /// <summary>x times the logistic function of x (arXiv 1710.05941).</summary>
    public static float Silu(float x) => x / (1 + MathF.Exp(-x));

    /// <summary>Gaussian error linear unit, by its tanh form (arXiv 1606.08415, section 2).</summary>
    public static float Gelu(float x) => 0.5f * x * (1 + MathF.Tanh(0.79788456f * (x + (0.044715f * x * x * x))));

    /// <summary>x where it is positive, else 0; no number stays none.</summary>
    public static float Relu(float x) => x < 0 ? 0 : x;

    /// <summary>Bounds x smoothly (Gemma-2, arXiv 2408.00118, section 2).</summary>
    public static float SoftCap(float x, float bound) => bound * MathF.Tanh(x / bound);
}
