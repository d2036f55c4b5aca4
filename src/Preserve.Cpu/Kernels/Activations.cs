using System.Numerics.Tensors;

namespace Preserve.Cpu;

/// <summary>Functions of single elements, of a row at once. What an element gives depends on it and on the row's length, and not on other rows.</summary>
internal static class Activations
{
    /// <summary>x times the logistic function of x (arXiv 1710.05941).</summary>
    /// <param name="x">The row.</param>
    /// <param name="divisor">As long as the row; what it holds is lost.</param>
    public static void Silu(Span<float> x, Span<float> divisor)
    {
        TensorPrimitives.Negate(x, divisor);
        TensorPrimitives.Exp(divisor, divisor);
        TensorPrimitives.Add(divisor, 1, divisor);
        TensorPrimitives.Divide(x, divisor, x);
    }

    /// <summary>Gaussian error linear unit, by its tanh form (arXiv 1606.08415, section 2): 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).</summary>
    /// <param name="x">The row.</param>
    /// <param name="share">As long as the row; what it holds is lost.</param>
    public static void Gelu(Span<float> x, Span<float> share)
    {
        TensorPrimitives.Multiply(x, 0.044715f, share);
        TensorPrimitives.Multiply(share, x, share);
        TensorPrimitives.Multiply(share, x, share);
        TensorPrimitives.Add(share, x, share);
        TensorPrimitives.Multiply(share, 0.79788456f, share);
        TensorPrimitives.Tanh(share, share);
        TensorPrimitives.Add(share, 1, share);
        TensorPrimitives.Multiply(x, 0.5f, x);
        TensorPrimitives.Multiply(x, share, x);
    }

    /// <summary>x where it is positive, else 0; no number stays none.</summary>
    public static void Relu(Span<float> x) => TensorPrimitives.Max(x, 0, x);

    /// <summary>Bounds each x smoothly (Gemma-2, arXiv 2408.00118, section 2).</summary>
    /// <remarks>Small ones stay as they are to their last bits, which TensorPrimitives.Tanh does not give: it takes one from an exponential near one.</remarks>
    public static void SoftCap(Span<float> x, float bound)
    {
        foreach (ref var value in x)
            value = SoftCap(value, bound);
    }

    /// <inheritdoc cref="SoftCap(Span{float}, float)"/>
    public static float SoftCap(float x, float bound) => bound * MathF.Tanh(x / bound);
}
