namespace Preserve.Generators.Tests.Models;

/// <summary>google/gemma-2-27b.</summary>
[Model(Name = "google/gemma-2-27b", Hidden = 4608, Vocabulary = 256_000, MaxPositions = 8192, TiedEmbeddings = true, EmbeddingScale = true, LogitSoftCap = true)]
[Layers(typeof(LocalLayer), typeof(GlobalLayer), Repeat = 23)]
public static class Gemma2_27B
{
    [Layer(PostNorm = true)]
    [Attention(Heads = 32, KeyValueHeads = 16, HeadSize = 128, SoftCap = true, Window = 4096)]
    [FeedForward(Intermediate = 36_864, Activation = Activation.GeGlu)]
    public sealed class LocalLayer;

    [Layer(PostNorm = true)]
    [Attention(Heads = 32, KeyValueHeads = 16, HeadSize = 128, SoftCap = true)]
    [FeedForward(Intermediate = 36_864, Activation = Activation.GeGlu)]
    public sealed class GlobalLayer;
}
