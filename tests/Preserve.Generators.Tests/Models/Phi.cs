namespace Preserve.Generators.Tests.Models;

/// <summary>microsoft/Phi-3-mini-4k-instruct.</summary>
[Model(Name = "microsoft/Phi-3-mini-4k-instruct", Hidden = 3072, Vocabulary = 32_064, MaxPositions = 4096)]
[Layers(typeof(DecoderLayer), Repeat = 32)]
public static class Phi3Mini
{
    [Layer]
    [Attention(Heads = 32, Window = 2047)]
    [FeedForward(Intermediate = 8192)]
    public sealed class DecoderLayer;
}

/// <summary>microsoft/Phi-3-medium-4k-instruct.</summary>
[Model(Name = "microsoft/Phi-3-medium-4k-instruct", Hidden = 5120, Vocabulary = 32_064, MaxPositions = 4096)]
[Layers(typeof(DecoderLayer), Repeat = 40)]
public static class Phi3Medium
{
    [Layer]
    [Attention(Heads = 40, KeyValueHeads = 10, Window = 2047)]
    [FeedForward(Intermediate = 17_920)]
    public sealed class DecoderLayer;
}

/// <summary>microsoft/Phi-3-small-8k-instruct.</summary>
/// <remarks>Every second layer of the published model attends sparsely, in blocks; here all attend to all tokens.</remarks>
[Model(Name = "microsoft/Phi-3-small-8k-instruct", Hidden = 4096, Vocabulary = 100_352, MaxPositions = 8192, TiedEmbeddings = true, EmbeddingScale = true)]
[Layers(typeof(DecoderLayer), Repeat = 32)]
public static class Phi3Small
{
    [Layer(Norm = Norm.Layer)]
    [Attention(Heads = 32, KeyValueHeads = 8, Bias = ProjectionBias.All)]
    [FeedForward(Intermediate = 14_336, Activation = Activation.GeGlu, Bias = true)]
    public sealed class DecoderLayer;
}
