namespace Preserve.Profiling;

/// <summary>The sizes of a recomputation, but for its tokens.</summary>
/// <param name="Batch">Sequences b.</param>
/// <param name="Hidden">h, in elements.</param>
/// <param name="KeyValueWidth">d_kv of one rank, in elements.</param>
public sealed record RecomputeShape(int Batch, int Hidden, int KeyValueWidth)
{
    /// <summary>Rows b l of the matmul.</summary>
    /// <param name="tokens">Tokens l of every sequence.</param>
    /// <exception cref="ArgumentException">There are more than 2,147,483,647.</exception>
    public int Rows(int tokens)
    {
        var rows = (long)Batch * tokens;
        return rows <= int.MaxValue
            ? (int)rows
            : throw new ArgumentException(FormattableString.Invariant($"{Batch:#,0} sequences of {tokens:#,0} tokens are {rows:#,0} rows of a matmul, but must be at most {int.MaxValue:#,0}"));
    }

    /// <summary>The matmul of l tokens, such as <c>(b l x 5120)(5120 x 10240) at batch 32</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"(b l x {Hidden})({Hidden} x {2L * KeyValueWidth}) at batch {Batch}");
}
