namespace Preserve.Core.Tests;

/// <summary>A small sound specification that the tests vary.</summary>
internal static class SampleSpecs
{
    public static MultiHeadAttentionSpec Attention { get; } = new(8, 4, 64, ProjectionBias.None, QueryKeyNorm: false, Window: 0, SoftCap: false);

    public static LayerSpec Layer { get; } = Of("Layer", Attention);

    public static ModelSpec Model { get; } = new(
        "Model", 512, 1000, MaxPositions: 4096, TiedEmbeddings: false, LearnedPositions: 0, EmbeddingScale: false, Norm.Rms,
        LogitSoftCap: false, HeadBias: false, new[] { new LayerGroup(new[] { Layer }, 4) });

    public static DeploymentSpec Deployment { get; } = new(
        Model, Devices.H100, 2, Precision.Bf16, Precision.Bf16, Precision.Bf16, PrefetchPolicy.Best, SeparateProjections: false,
        new StepSpec[] { new DecodeSpec(4, 128, Total: false) });

    public static LayerSpec Of(string name, MultiHeadAttentionSpec attention, int intermediate = 2048) => new(
        name, Norm.Rms, PostNorm: false, Position.Rotary, Parallel: false, attention,
        new FeedForwardSpec[] { new DenseFeedForwardSpec(intermediate, Activation.SwiGlu, Bias: false) });

    public static ModelSpec With(params LayerSpec[] pattern) => Model with { Stack = new[] { new LayerGroup(pattern, 1) } };
}
