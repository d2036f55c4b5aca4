namespace Preserve.Exploration;

/// <summary>A row of the published latency tables: the decode time of one batch, A100-40GB with PCIe 4.0 x16, fp16 (KVPR, arXiv 2411.17089).</summary>
/// <param name="Model">The model's name in the catalogue.</param>
/// <param name="Prompt">Prompt tokens of each sequence.</param>
/// <param name="Tokens">Tokens that each sequence is given.</param>
/// <param name="BaselineSeconds">With the whole KV-cache transferred.</param>
/// <param name="SplitSeconds">With a part of it recomputed.</param>
/// <param name="Note">What is known against the row; null for nothing.</param>
public sealed record PublishedLatency(string Model, int Prompt, int Tokens, double BaselineSeconds, double SplitSeconds, string? Note = null)
{
    private const string Outlier = "outlier: an effective 11 to 18 GB/s, against 25.9 in the others";

    /// <summary>Sequences of the batch.</summary>
    public const int Batch = 64;

    /// <summary>The rows, as printed.</summary>
    public static IReadOnlyList<PublishedLatency> All { get; } =
    [
        new("opt-6.7b", 128, 32, 8.905, 6.651),
        new("opt-6.7b", 128, 128, 71.327, 45.766, Outlier),
        new("opt-6.7b", 256, 32, 26.825, 19.138, Outlier),
        new("opt-6.7b", 256, 128, 88.354, 61.597, Outlier),
        new("opt-6.7b", 512, 32, 24.390, 20.349),
        new("opt-6.7b", 512, 128, 110.277, 93.932),
        new("opt-13b", 128, 32, 11.409, 9.148),
        new("opt-13b", 128, 128, 73.896, 66.119),
        new("opt-13b", 256, 32, 19.381, 16.654),
        new("opt-13b", 256, 128, 104.115, 88.492),
        new("opt-13b", 512, 32, 35.066, 29.215),
        new("opt-13b", 512, 128, 168.155, 138.377),
    ];
}
