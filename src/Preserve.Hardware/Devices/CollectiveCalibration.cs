namespace Preserve;

/// <summary>Constants of <see cref="CalibratedCollectiveLaw"/> for one library, kind and number of ranks.</summary>
/// <param name="Library">The library, such as <c>NCCL</c>.</param>
/// <param name="Kind">The collective.</param>
/// <param name="Ranks">Ranks that take part.</param>
/// <param name="Algorithms">Its algorithms: the fastest is taken.</param>
/// <param name="LargestBytes">Messages above it go to <paramref name="Fallback"/>; null where it takes all.</param>
/// <param name="Fallback">The library that takes larger messages; null where there is none.</param>
/// <param name="Eager">What a call outside a captured graph costs; null where that is not known.</param>
/// <param name="Band">Its residuals; null where too few sizes were measured to tell.</param>
public sealed record CollectiveCalibration(
    string Library,
    CollectiveKind Kind,
    int Ranks,
    EquatableArray<CalibratedAlgorithm> Algorithms,
    long? LargestBytes,
    string? Fallback,
    EagerLaunch? Eager,
    ResidualBand? Band);

/// <summary>A collective algorithm with one protocol: time of an empty message, and the rate at which a rank receives.</summary>
/// <param name="Name">What is sent where, which says how many bytes a rank receives.</param>
/// <param name="LatencyMicroseconds">Time of an empty message.</param>
/// <param name="ChunkMicroseconds">Cutting the message into chunks that follow each other, for each square root of a megabyte; 0 where it is not cut.</param>
/// <param name="GigabytesPerSecond">Bytes that one rank receives per second.</param>
public sealed record CalibratedAlgorithm(CollectiveAlgorithmName Name, double LatencyMicroseconds, double ChunkMicroseconds, double GigabytesPerSecond);

/// <summary>What a call outside a captured graph costs.</summary>
/// <param name="LaunchMicroseconds">The host's part: the call takes no less.</param>
/// <param name="CopyTerabytesPerSecond">Rate at which the message is copied into the buffer that the others read.</param>
public sealed record EagerLaunch(double LaunchMicroseconds, double CopyTerabytesPerSecond);

/// <summary>The collective algorithms, by what a rank receives for a message of B bytes and n ranks.</summary>
public enum CollectiveAlgorithmName
{
    /// <summary>All messages of the others: (n-1) B.</summary>
    OneShot,

    /// <summary>Its part of the others' messages, then the others' parts of the sum: 2 (n-1)/n B.</summary>
    TwoShot,

    /// <summary>As two shots, from one neighbour to the next: 2 (n-1)/n B.</summary>
    Ring,

    /// <summary>The messages of its children, and the sum of its parent: 2 (n-1)/n B over all ranks.</summary>
    Tree,

    /// <summary>The sum, which the switch forms and sends to all: B.</summary>
    Multicast,
}
