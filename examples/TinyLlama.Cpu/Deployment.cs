using Preserve;

namespace TinyLlama.Cpu;

/// <summary>A Llama of 44 million parameters: its 88 MB of weights fit no cache of a small machine.</summary>
[Model(Hidden = 768, Vocabulary = 8192, MaxPositions = 256)]
[Layers(typeof(DecoderLayer), Repeat = 5)]
public static class TinyLlama
{
    /// <summary>Dimensions of the layer, which the model's weights are made for too.</summary>
    public const int Heads = 12, KeyValueHeads = 4, HeadSize = 64, Intermediate = 2048;

    [Layer(Norm = Norm.Rms, Position = Position.Rotary)]
    [Attention(Heads = Heads, KeyValueHeads = KeyValueHeads, HeadSize = HeadSize)]
    [FeedForward(Intermediate = Intermediate, Activation = Activation.SwiGlu)]
    public sealed class DecoderLayer;

    /// <summary>The same model as a value: a backend that computes needs to know what.</summary>
    public static ModelSpec Spec { get; } = new(
        nameof(TinyLlama), 768, 8192, 256, TiedEmbeddings: false, LearnedPositions: 0, EmbeddingScale: false, Norm.Rms, LogitSoftCap: false, HeadBias: false,
        new[]
        {
            new LayerGroup(
                new[]
                {
                    new LayerSpec(
                        nameof(DecoderLayer), Norm.Rms, PostNorm: false, Position.Rotary, Parallel: false,
                        new MultiHeadAttentionSpec(Heads, KeyValueHeads, HeadSize, ProjectionBias.None, QueryKeyNorm: false, Window: 0, SoftCap: false),
                        new FeedForwardSpec[] { new DenseFeedForwardSpec(Intermediate, Activation.SwiGlu, Bias: false) }),
                },
                5),
        });
}

/// <summary>Two ranks share the processor, as two devices would share the model.</summary>
[Deployment(typeof(TinyLlama), "this-cpu", TensorParallel = 2, Prefetch = PrefetchPolicy.Paper)]
[Generation(Batch = 1, Prompt = 16, Tokens = 12)]
public sealed partial class TinyLlama_OnTwoRanks : Deployment;
