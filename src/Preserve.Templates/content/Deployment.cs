using Preserve;

namespace Serving;

/// <summary>What is computed: Llama-3-8B, as published at https://huggingface.co/meta-llama/Meta-Llama-3-8B.</summary>
[Model(Hidden = 4096, Vocabulary = 128_256, MaxPositions = 8192)]
[Layers(typeof(DecoderLayer), Repeat = 32)]
public static class Llama3_8B
{
    [Layer(Norm = Norm.Rms, Position = Position.Rotary)]
    [Attention(Heads = 32, KeyValueHeads = 8)]
    [FeedForward(Intermediate = 14_336, Activation = Activation.SwiGlu)]
    public sealed class DecoderLayer;
}

/// <summary>Where and how: the build makes a plan for each step that stands here.</summary>
[Deployment(typeof(Llama3_8B), Devices.H100, TensorParallel = 2)]
[Decode(Batch = 4, Context = 1024)]
public sealed partial class Llama3_8B_Deployed : Deployment;
