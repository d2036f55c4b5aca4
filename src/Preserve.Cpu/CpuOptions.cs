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

    /// <summary>Longest delay, in microseconds.</summary>
    public int LongestDelayMicroseconds { get; init; } = 200;

    /// <summary>Called by each stream of each rank before its instructions, with their place in it; in place of random delays.</summary>
    internal Action<int, StreamKind, int>? BeforeEach { get; init; }
}
