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
    Timing MatMul(RecomputeShape shape, int tokens, bool underTransfer);
}

/// <summary>Which copy is timed.</summary>
/// <param name="Direction">From the host to the device, or back.</param>
/// <param name="Pinned">Whether the host's memory is pinned; other memory passes through a pinned buffer.</param>
/// <param name="BothDirections">Whether as much is copied in the other direction meanwhile.</param>
public sealed record CopyKind(TransferDirection Direction, bool Pinned, bool BothDirections);

/// <summary>The sizes of a recomputation, but for its tokens.</summary>
/// <param name="Batch">Sequences b.</param>
/// <param name="Hidden">h, in elements.</param>
/// <param name="KeyValueWidth">d_kv of one rank, in elements.</param>
public sealed record RecomputeShape(int Batch, int Hidden, int KeyValueWidth)
{
    /// <summary>The matmul of l tokens, such as <c>(b l x 5120)(5120 x 10240) at batch 32</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"(b l x {Hidden})({Hidden} x {2L * KeyValueWidth}) at batch {Batch}");
}

/// <summary>Repeated times of one thing, in microseconds.</summary>
/// <param name="MedianMicroseconds">Half took no longer.</param>
/// <param name="LowMicroseconds">A quarter took no longer.</param>
/// <param name="HighMicroseconds">Three quarters took no longer.</param>
/// <param name="Repetitions">How many were taken, after the warm-up; 1 for a model, which has no spread.</param>
public sealed record Timing(double MedianMicroseconds, double LowMicroseconds, double HighMicroseconds, int Repetitions)
{
    /// <summary>The quartiles of repeated times.</summary>
    /// <param name="microseconds">The times, at least one.</param>
    public static Timing Of(IReadOnlyList<double> microseconds)
    {
        ArgumentNullException.ThrowIfNull(microseconds);
        var sorted = microseconds.Order().ToArray();
        return new(At(0.5), At(0.25), At(0.75), sorted.Length);

        // Between two ranks it is interpolated, as NIST's percentiles are.
        double At(double share)
        {
            var rank = share * (sorted.Length - 1);
            var below = (int)rank;
            return below + 1 < sorted.Length ? sorted[below] + ((rank - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
        }
    }
}

/// <summary>Where times come from.</summary>
/// <param name="Kind"><c>model</c> or <c>machine</c>.</param>
/// <param name="Name">The device's id, or the machine's processor.</param>
/// <param name="Processors">Threads that the machine runs at once; 0 for a model.</param>
/// <param name="Runtime">Operating system and runtime; empty for a model.</param>
/// <param name="Note">What stands for host and device, and anything else that a reader must know.</param>
public sealed record ProfileSource(string Kind, string Name, int Processors, string Runtime, string Note);
