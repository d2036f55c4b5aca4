namespace Preserve.Generators.Tests.Models;

/// <summary>facebook/opt-6.7b.</summary>
[Model(Name = "facebook/opt-6.7b", Hidden = 4096, Vocabulary = 50_272, MaxPositions = 2048, TiedEmbeddings = true, LearnedPositions = 2050)]
[Layers(typeof(DecoderLayer), Repeat = 32)]
public static class Opt6_7B
{
    [Layer(Norm = Norm.Layer, Position = Position.Learned)]
    [Attention(Heads = 32, Bias = ProjectionBias.All)]
    [FeedForward(Intermediate = 16_384, Activation = Activation.Relu, Bias = true)]
    public sealed class DecoderLayer;
}

/// <summary>facebook/opt-13b.</summary>
[Model(Name = "facebook/opt-13b", Hidden = 5120, Vocabulary = 50_272, MaxPositions = 2048, TiedEmbeddings = true, LearnedPositions = 2050)]
[Layers(typeof(DecoderLayer), Repeat = 40)]
public static class Opt13B
{
    [Layer(Norm = Norm.Layer, Position = Position.Learned)]
    [Attention(Heads = 40, Bias = ProjectionBias.All)]
    [FeedForward(Intermediate = 20_480, Activation = Activation.Relu, Bias = true)]
    public sealed class DecoderLayer;
}

/// <summary>facebook/opt-30b.</summary>
[Model(Name = "facebook/opt-30b", Hidden = 7168, Vocabulary = 50_272, MaxPositions = 2048, TiedEmbeddings = true, LearnedPositions = 2050)]
[Layers(typeof(DecoderLayer), Repeat = 48)]
public static class Opt30B
{
    [Layer(Norm = Norm.Layer, Position = Position.Learned)]
    [Attention(Heads = 56, Bias = ProjectionBias.All)]
    [FeedForward(Intermediate = 28_672, Activation = Activation.Relu, Bias = true)]
    public sealed class DecoderLayer;
}
