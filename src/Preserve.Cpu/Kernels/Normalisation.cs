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
        float mean = 0, squares = 0;
        if (norm == Norm.Layer)
        {
            foreach (var value in row)
                mean += value;
            mean /= row.Length;
        }
        foreach (var value in row)
            squares += (value - mean) * (value - mean);
        var scale = 1 / MathF.Sqrt((squares / row.Length) + epsilon);
        for (var i = 0; i < row.Length; i++)
            row[i] = ((row[i] - mean) * scale * weight[i]) + (norm == Norm.Layer ? weight[row.Length + i] : 0);
    }
}
