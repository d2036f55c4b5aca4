namespace Preserve.Generators.Tests.Models;

/// <summary>Qwen/Qwen2.5-7B.</summary>
[Model(Name = "Qwen/Qwen2.5-7B", Hidden = 3584, Vocabulary = 152_064, MaxPositions = 131_072)]
[Layers(typeof(DecoderLayer), Repeat = 28)]
public static class Qwen2_5_7B
{
    [Layer]
    [Attention(Heads = 28, KeyValueHeads = 4, Bias = ProjectionBias.QueryKeyValue)]
    [FeedForward(Intermediate = 18_944)]
    public sealed class DecoderLayer;
}

/// <summary>Qwen/Qwen2.5-14B.</summary>
[Model(Name = "Qwen/Qwen2.5-14B", Hidden = 5120, Vocabulary = 152_064, MaxPositions = 131_072)]
[Layers(typeof(DecoderLayer), Repeat = 48)]
public static class Qwen2_5_14B
{
    [Layer]
    [Attention(Heads = 40, KeyValueHeads = 8, Bias = ProjectionBias.QueryKeyValue)]
    [FeedForward(Intermediate = 13_824)]
    public sealed class DecoderLayer;
}

/// <summary>Qwen/Qwen2.5-32B.</summary>
[Model(Name = "Qwen/Qwen2.5-32B", Hidden = 5120, Vocabulary = 152_064, MaxPositions = 131_072)]
[Layers(typeof(DecoderLayer), Repeat = 64)]
public static class Qwen2_5_32B
{
    [Layer]
    [Attention(Heads = 40, KeyValueHeads = 8, Bias = ProjectionBias.QueryKeyValue)]
    [FeedForward(Intermediate = 27_648)]
    public sealed class DecoderLayer;
}

/// <summary>Qwen/Qwen2.5-72B.</summary>
[Model(Name = "Qwen/Qwen2.5-72B", Hidden = 8192, Vocabulary = 152_064, MaxPositions = 131_072)]
[Layers(typeof(DecoderLayer), Repeat = 80)]
public static class Qwen2_5_72B
{
    [Layer]
    [Attention(Heads = 64, KeyValueHeads = 8, Bias = ProjectionBias.QueryKeyValue)]
    [FeedForward(Intermediate = 29_568)]
    public sealed class DecoderLayer;
}

/// <summary>Qwen/Qwen3-32B.</summary>
[Model(Name = "Qwen/Qwen3-32B", Hidden = 5120, Vocabulary = 151_936, MaxPositions = 40_960)]
[Layers(typeof(DecoderLayer), Repeat = 64)]
public static class Qwen3_32B
{
    [Layer]
    [Attention(Heads = 64, KeyValueHeads = 8, HeadSize = 128, QueryKeyNorm = true)]
    [FeedForward(Intermediate = 25_600)]
    public sealed class DecoderLayer;
}

/// <summary>Qwen/Qwen2-7B.</summary>
[Model(Name = "Qwen/Qwen2-7B", Hidden = 3584, Vocabulary = 152_064, MaxPositions = 131_072)]
[Layers(typeof(DecoderLayer), Repeat = 28)]
public static class Qwen2_7B
{
    [Layer]
    [Attention(Heads = 28, KeyValueHeads = 4, Bias = ProjectionBias.QueryKeyValue)]
    [FeedForward(Intermediate = 18_944)]
    public sealed class DecoderLayer;
}

/// <summary>Qwen/Qwen2-72B.</summary>
[Model(Name = "Qwen/Qwen2-72B", Hidden = 8192, Vocabulary = 152_064, MaxPositions = 131_072)]
[Layers(typeof(DecoderLayer), Repeat = 80)]
public static class Qwen2_72B
{
    [Layer]
    [Attention(Heads = 64, KeyValueHeads = 8, Bias = ProjectionBias.QueryKeyValue)]
    [FeedForward(Intermediate = 29_568)]
    public sealed class DecoderLayer;
}
