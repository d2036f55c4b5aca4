using System.Numerics.Tensors;

namespace Preserve.Cpu;

/// <summary>Norms of rows, each by itself, summed in order.</summary>
internal static class Normalisation
{
    /// <summary>Normalises a row where it stands.</summary>
    /// <param name="norm">Root-mean-square norm (arXiv 1910.07467) or layer norm (arXiv 1607.06450).</param>
    /// <param name="row">The row.</param>
    /// <param name="weight">A factor for each element, then, of a layer norm, a summand for each.</param>
    /// <param name="epsilon">What is added below the root.</param>
    public static void Run(Norm norm, Span<float> row, ReadOnlySpan<float> weight, float epsilon)
    {
        float sum = 0, squares = 0;
        if (norm == Norm.Layer)
        {
            foreach (var value in row)
                sum += value;
            TensorPrimitives.Subtract(row, sum / row.Length, row);
        }
        foreach (var value in row)
            squares += value * value;
        TensorPrimitives.Multiply(row, 1 / MathF.Sqrt((squares / row.Length) + epsilon), row);
        TensorPrimitives.Multiply(row, weight[..row.Length], row);
        if (norm == Norm.Layer)
            TensorPrimitives.Add(row, weight.Slice(row.Length, row.Length), row);
    }
}
