namespace Preserve;

/// <summary>What of a deployment lives in the host's memory, and how it is brought to the device.</summary>
/// <param name="KeyValues">Where the KV-cache lives.</param>
/// <param name="Weights">Where the layers' matrices live.</param>
/// <param name="Objective">What the order of layers and batches makes best.</param>
/// <param name="BatchesPerLayer">Batches that one layer serves before the next one, 1 or more.</param>
/// <param name="StoredActivations">Format of the activations that are stored to recompute keys and values from; other than
/// <see cref="Precision.Bf16"/> it changes results.</param>
/// <param name="Recompute">Which keys and values are recomputed.</param>
public sealed record OffloadSpec(
    Home KeyValues = Home.Device,
    Home Weights = Home.Device,
    Objective Objective = Objective.Latency,
    int BatchesPerLayer = 1,
    Precision StoredActivations = Precision.Bf16,
    RecomputePolicy Recompute = RecomputePolicy.Best)
{
    /// <summary>Everything lives on the device.</summary>
    public static OffloadSpec None { get; } = new();

    /// <summary>Whether something lives in the host's memory.</summary>
    public bool Any => KeyValues == Home.Host || Weights == Home.Host;
}

/// <summary>Where a tensor lives between its uses.</summary>
public enum Home
{
    /// <summary>In the device's memory.</summary>
    Device,

    /// <summary>In the host's memory: it crosses the host link at each use.</summary>
    Host,
}

/// <summary>What the order of layers and batches makes best.</summary>
public enum Objective
{
    /// <summary>The time of a batch: it passes through all layers before the next one, row by row.</summary>
    Latency,

    /// <summary>Tokens per second: a layer serves several batches before the next layer, column by column, so that its weights cross
    /// once for all of them (FlexGen, arXiv 2303.06865).</summary>
    Throughput,
}

/// <summary>Which keys and values of a KV-cache in the host's memory are recomputed from stored activations, and not transferred.</summary>
public enum RecomputePolicy
{
    /// <summary>None: all are transferred.</summary>
    None,

    /// <summary>Those of the first tokens, as many as make the modelled step shortest (KVPR, arXiv 2411.17089); none where that cannot pay.</summary>
    Best,
}
