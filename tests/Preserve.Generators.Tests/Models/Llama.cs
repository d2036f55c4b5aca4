namespace Preserve.Generators.Tests.Models;

/// <summary>meta-llama/Llama-2-7b-hf.</summary>
[Model(Name = "meta-llama/Llama-2-7b-hf", Hidden = 4096, Vocabulary = 32_000, MaxPositions = 4096)]
[Layers(typeof(DecoderLayer), Repeat = 32)]
public static class Llama2_7B
{
    [Layer]
    [Attention(Heads = 32)]
    [FeedForward(Intermediate = 11_008)]
    public sealed class DecoderLayer;
}

/// <summary>meta-llama/Llama-2-13b-hf.</summary>
[Model(Name = "meta-llama/Llama-2-13b-hf", Hidden = 5120, Vocabulary = 32_000, MaxPositions = 4096)]
[Layers(typeof(DecoderLayer), Repeat = 40)]
public static class Llama2_13B
{
    [Layer]
    [Attention(Heads = 40)]
    [FeedForward(Intermediate = 13_824)]
    public sealed class DecoderLayer;
}

/// <summary>meta-llama/Llama-2-70b-hf.</summary>
[Model(Name = "meta-llama/Llama-2-70b-hf", Hidden = 8192, Vocabulary = 32_000, MaxPositions = 4096)]
[Layers(typeof(DecoderLayer), Repeat = 80)]
public static class Llama2_70B
{
    [Layer]
    [Attention(Heads = 64, KeyValueHeads = 8)]
    [FeedForward(Intermediate = 28_672)]
    public sealed class DecoderLayer;
}

/// <summary>meta-llama/Meta-Llama-3-8B.</summary>
[Model(Name = "meta-llama/Meta-Llama-3-8B", Hidden = 4096, Vocabulary = 128_256, MaxPositions = 8192)]
[Layers(typeof(DecoderLayer), Repeat = 32)]
public static class Llama3_8B
{
    [Layer]
    [Attention(Heads = 32, KeyValueHeads = 8)]
    [FeedForward(Intermediate = 14_336)]
    public sealed class DecoderLayer;
}

/// <summary>meta-llama/Meta-Llama-3-70B.</summary>
[Model(Name = "meta-llama/Meta-Llama-3-70B", Hidden = 8192, Vocabulary = 128_256, MaxPositions = 8192)]
[Layers(typeof(DecoderLayer), Repeat = 80)]
public static class Llama3_70B
{
    [Layer]
    [Attention(Heads = 64, KeyValueHeads = 8)]
    [FeedForward(Intermediate = 28_672)]
    public sealed class DecoderLayer;
}

/// <summary>meta-llama/Llama-3.1-405B.</summary>
[Model(Name = "meta-llama/Llama-3.1-405B", Hidden = 16_384, Vocabulary = 128_256, MaxPositions = 131_072)]
[Layers(typeof(DecoderLayer), Repeat = 126)]
public static class Llama3_1_405B
{
    [Layer]
    [Attention(Heads = 128, KeyValueHeads = 8)]
    [FeedForward(Intermediate = 53_248)]
    public sealed class DecoderLayer;
}
