namespace Preserve;

/// <summary>Shape of a matrix multiplication on one rank, and the bytes that it moves at least.</summary>
/// <param name="Rows">Rows of the activations (m).</param>
/// <param name="Columns">Columns of the weight (n).</param>
/// <param name="Depth">Summed elements (k).</param>
/// <param name="WeightBits">Bits of an element of the weight.</param>
internal readonly record struct MatMulShape(double Rows, double Columns, double Depth, double WeightBits)
{
    /// <summary>Bytes of an activation or result: converted to the weight's format inside the kernel's time.</summary>
    private const double ActivationBytes = 2;

    /// <summary>Rows up to which a kernel streams the weight. One tile of rows of the tensor cores' instructions holds them.</summary>
    public const int MostStreamedRows = 64;

    public double Flops => 2 * Rows * Columns * Depth;

    /// <summary>The weight once, the activations once, the result once.</summary>
    public double Bytes => (Columns * Depth * WeightBits / 8) + (ActivationBytes * Rows * (Columns + Depth));
}
