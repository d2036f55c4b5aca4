using Preserve;

namespace Llama3.Ascend;

/// <summary>Llama-3-70B, as published: https://huggingface.co/meta-llama/Meta-Llama-3-70B.</summary>
[Model(Hidden = 8192, Vocabulary = 128_256, MaxPositions = 8192)]
[Layers(typeof(DecoderLayer), Repeat = 80)]
public static class Llama3_70B
{
    [Layer(Norm = Norm.Rms, Position = Position.Rotary)]
    [Attention(Heads = 64, KeyValueHeads = 8, HeadSize = 128)]
    [FeedForward(Intermediate = 28_672, Activation = Activation.SwiGlu)]
    public sealed class DecoderLayer;
}

/// <summary>The published setting of PRESERVE (arXiv 2501.08192): 8 x Ascend 910B, int8 weights and activations, batch 4, 16K.</summary>
[Deployment(typeof(Llama3_70B), Devices.Ascend910B2, TensorParallel = 8,
    Weights = Precision.Int8, Activations = Precision.Int8, KeyValues = Precision.Int8)]
// The published setting is twice the positions that the model was made for: a matter of what it would answer, and not of its time.
#pragma warning disable PRSV102
[Decode(Batch = 4, Context = 16_384)]
#pragma warning restore PRSV102
public sealed partial class Llama3_70B_OnAscend : Deployment;
