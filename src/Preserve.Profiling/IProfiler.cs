namespace Preserve.Profiling;

/// <summary>Times the two things that a KV split weighs against each other: copies and the matmul that makes keys and values again.
/// The model of a device answers, or the machine that runs this.</summary>
public interface IProfiler
{
    /// <summary>What is timed: a device's model, or the machine with its processor.</summary>
    ProfileSource Source { get; }

    /// <summary>Times one copy.</summary>
    /// <param name="bytes">Its size, 1 or more.</param>
    /// <param name="kind">Which memory, and what runs beside it.</param>
    Timing Copy(long bytes, CopyKind kind);

    /// <summary>Times the matmul (b l x h)(h x 2 d_kv).</summary>
    /// <param name="shape">Its sizes.</param>
    /// <param name="tokens">Tokens l of every sequence, 1 or more.</param>
    /// <param name="underTransfer">Whether copies run meanwhile.</param>
    /// <exception cref="ArgumentException">It has more than 2,147,483,647 rows.</exception>
    Timing MatMul(RecomputeShape shape, int tokens, bool underTransfer);
}
