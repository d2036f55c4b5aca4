namespace Preserve.Exploration;

/// <summary>How the time of collectives is used.</summary>
/// <param name="Name">Its name, as tables print it.</param>
/// <param name="Prefetch">How prefetches are chosen.</param>
/// <param name="Targets">What may be prefetched.</param>
/// <param name="Fusion">What shares a kernel with the collectives that sum.</param>
public sealed record Technique(string Name, PrefetchPolicy Prefetch, PrefetchTargets Targets, CollectiveFusion Fusion = CollectiveFusion.None)
{
    /// <summary>Not at all: what speed-ups are over.</summary>
    public static Technique Plain { get; } = new("plain", PrefetchPolicy.None, PrefetchTargets.Both);

    /// <summary>The published rule.</summary>
    public static Technique Paper { get; } = new("paper", PrefetchPolicy.Paper, PrefetchTargets.Both);

    /// <summary>The searched prefetches.</summary>
    public static Technique Best { get; } = new("best", PrefetchPolicy.Best, PrefetchTargets.Both);

    /// <summary>Each all-reduce in one kernel with the matmul before it, and nothing prefetched: the published baseline.</summary>
    public static Technique Fused { get; } = new("fused matmul", PrefetchPolicy.None, PrefetchTargets.Both, CollectiveFusion.MatMul);

    /// <summary>All that are compared with the plain one, in the order of tables.</summary>
    public static IReadOnlyList<Technique> Compared { get; } =
    [
        Paper,
        new("paper, weights", PrefetchPolicy.Paper, PrefetchTargets.Weights),
        new("paper, KV", PrefetchPolicy.Paper, PrefetchTargets.KeyValues),
        Best,
        new("best, weights", PrefetchPolicy.Best, PrefetchTargets.Weights),
        new("best, KV", PrefetchPolicy.Best, PrefetchTargets.KeyValues),
        Fused,
    ];
}
