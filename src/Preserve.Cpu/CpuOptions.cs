namespace Preserve.Cpu;

/// <summary>How a <see cref="CpuBackend"/> runs.</summary>
public sealed record CpuOptions
{
    /// <summary>Numbers that no plan depends on.</summary>
    public ModelConstants Constants { get; init; } = ModelConstants.Default;

    /// <summary>Threads that share one large matmul, 1 or more; 0 for the processors, divided by the ranks of the plan.</summary>
    public int Threads { get; init; }

    /// <summary>Whether each instruction's start and end are recorded, those of rank 0.</summary>
    public bool RecordTimeline { get; init; }

    /// <summary>Seed of random delays before instructions; null for none. A step also begins with an arena that holds no number.</summary>
    /// <remarks>Each stream of each rank is slow or fast at random, so that what is not ordered by events happens in many orders.</remarks>
    public ulong? DelaySeed { get; init; }

    /// <summary>Longest delay, in microseconds, 0 or more.</summary>
    public int LongestDelayMicroseconds { get; init; } = 200;

    /// <summary>Called by each stream of each rank before its instructions, with their place in it; in place of random delays.</summary>
    internal Action<int, StreamKind, int>? BeforeEach { get; init; }

    /// <summary>Refuses what is not in its range.</summary>
    /// <exception cref="ArgumentNullException">There are no constants.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option or a constant is not in its range.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(Constants);
        ArgumentOutOfRangeException.ThrowIfNegative(Threads);
        ArgumentOutOfRangeException.ThrowIfNegative(LongestDelayMicroseconds);
        Positive(Constants.NormEpsilon, nameof(Constants.NormEpsilon));
        Positive(Constants.RotaryBase, nameof(Constants.RotaryBase));
        Positive(Constants.AttentionSoftCap, nameof(Constants.AttentionSoftCap));
        Positive(Constants.LogitSoftCap, nameof(Constants.LogitSoftCap));
        Positive(Constants.ScoreFactor ?? 1, nameof(Constants.ScoreFactor));
        Positive(Constants.EmbeddingFactor ?? 1, nameof(Constants.EmbeddingFactor));
        Positive(Constants.WindowRotaryBase ?? 1, nameof(Constants.WindowRotaryBase));

        static void Positive(double value, string name)
        {
            if (!(value > 0 && double.IsFinite(value)))
                throw new ArgumentOutOfRangeException(name, value, $"{name} is a number above 0");
        }
    }
}
