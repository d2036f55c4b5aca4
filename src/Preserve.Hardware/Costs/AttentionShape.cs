namespace Preserve;

/// <summary>Shape of attention on one rank, and the bytes that it moves at least.</summary>
/// <param name="Sequences">Sequences in the batch.</param>
/// <param name="NewTokens">New tokens per sequence.</param>
/// <param name="Length">Keys per sequence, the new ones included.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">KV heads.</param>
/// <param name="HeadSize">Elements per head.</param>
/// <param name="Pairs">Query-key pairs per head, over all sequences.</param>
/// <param name="KeyValueBits">Bits of a cached element.</param>
internal readonly record struct AttentionShape(
    double Sequences, double NewTokens, double Length, double Heads, double KeyValueHeads, double HeadSize, double Pairs, double KeyValueBits)
{
    /// <summary>Bytes of an element of queries and results.</summary>
    private const double ElementBytes = 2;

    /// <summary>The shape of an operation at a context.</summary>
    public static AttentionShape Of(AttentionOperation operation, int context)
    {
        var pairs = (double)operation.Pairs.At(context);
        var tokens = (double)operation.Sequences * operation.NewTokens;
        // Under a causal mask the last new token sees (N-1)/2 keys more than the mean one.
        var length = (pairs / tokens) + ((operation.NewTokens - 1) / 2.0);
        return new AttentionShape(operation.Sequences, operation.NewTokens, length, operation.Heads, operation.KeyValueHeads, operation.HeadSize, pairs,
            (double)operation.KeyValues.BitsOfGroup() / PrecisionSizes.ScaleGroup);
    }

    /// <summary>Query times key, and score times value.</summary>
    public double Flops => 4 * Pairs * Heads * HeadSize;

    /// <summary>Queries read and results written.</summary>
    public double QueryBytes => 2 * ElementBytes * Sequences * NewTokens * Heads * HeadSize;

    /// <summary>Keys and values read.</summary>
    public double KeyValueBytes => 2 * Sequences * Length * KeyValueHeads * HeadSize * KeyValueBits / 8;

    public double Bytes => QueryBytes + KeyValueBytes;
}
