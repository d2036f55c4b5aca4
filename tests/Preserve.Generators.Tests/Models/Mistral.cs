namespace Preserve.Generators.Tests.Models;

/// <summary>mistralai/Mistral-7B-v0.1.</summary>
[Model(Name = "mistralai/Mistral-7B-v0.1", Hidden = 4096, Vocabulary = 32_000, MaxPositions = 32_768)]
[Layers(typeof(DecoderLayer), Repeat = 32)]
public static class Mistral7B
{
    [Layer]
    [Attention(Heads = 32, KeyValueHeads = 8, Window = 4096)]
    [FeedForward(Intermediate = 14_336)]
    public sealed class DecoderLayer;
}
