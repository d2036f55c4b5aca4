namespace Preserve.Exploration;

/// <summary>A row of the published throughput evaluation: fp16, weights and KV-cache on the host, each layer serving eight batches of 32 sequences
/// (KVPR, arXiv 2411.17089).</summary>
/// <param name="Device">The device's id.</param>
/// <param name="Model">The model's name in the catalogue.</param>
/// <param name="Prompt">Prompt tokens of each sequence.</param>
/// <param name="Tokens">Tokens that each sequence is given.</param>
/// <param name="BaselineTokensPerSecond">With FlexGen, which transfers the whole KV-cache; null where only a gain was published.</param>
/// <param name="SplitTokensPerSecond">With a part of it recomputed; null likewise.</param>
/// <param name="MostGainPercent">The largest gain of the model over all lengths, where nothing else was published.</param>
public sealed record PublishedThroughput(
    string Device, string Model, int Prompt, int Tokens, double? BaselineTokensPerSecond = null, double? SplitTokensPerSecond = null, double? MostGainPercent = null)
{
    private static readonly (int Prompt, int Tokens)[] _lengths = [(256, 32), (256, 128), (512, 32), (512, 128), (1024, 32), (1024, 128)];

    /// <summary>The workstation card's id; it is not built in.</summary>
    public const string Workstation = "quadro-rtx-5000";

    /// <summary>The server card's id.</summary>
    public const string Server = "a100-40-sxm";

    /// <summary>Sequences of a batch.</summary>
    public const int Batch = 32;

    /// <summary>Batches that each layer serves.</summary>
    public const int Batches = 8;

    /// <summary>The rows, as printed; those of the A100 at the lengths of the others, because only their largest gain is.</summary>
    public static IReadOnlyList<PublishedThroughput> All { get; } =
    [
        new(Workstation, "opt-6.7b", 256, 32, 50.057, 53.976),
        new(Workstation, "opt-6.7b", 256, 128, 46.779, 49.860),
        new(Workstation, "opt-6.7b", 512, 32, 29.614, 33.666),
        new(Workstation, "opt-6.7b", 512, 128, 28.650, 32.277),
        new(Workstation, "opt-6.7b", 1024, 32, 15.778, 18.285),
        new(Workstation, "opt-6.7b", 1024, 128, 16.194, 18.108),
        .. OfServer("opt-6.7b", 15.1), .. OfServer("opt-13b", 46.2), .. OfServer("opt-30b", 29.0),
    ];

    /// <summary>The gain of a row in percent; null where only the largest of a model is known.</summary>
    public double? GainPercent => 100 * ((SplitTokensPerSecond / BaselineTokensPerSecond) - 1);

    private static IEnumerable<PublishedThroughput> OfServer(string model, double gain) =>
        _lengths.Select(l => new PublishedThroughput(Server, model, l.Prompt, l.Tokens, MostGainPercent: gain));
}
