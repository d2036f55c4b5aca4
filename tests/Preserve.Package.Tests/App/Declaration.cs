using Preserve;

namespace App;

[Model(Hidden = 1024, Vocabulary = 8192)]
[Layers(typeof(DecoderLayer), Repeat = 4)]
public static class Small
{
    [Layer(Norm = Norm.Rms, Position = Position.Rotary)]
    [Attention(Heads = 16, KeyValueHeads = 4, HeadSize = 64)]
    [FeedForward(Intermediate = 4096, Activation = Activation.SwiGlu)]
    public sealed class DecoderLayer;
}

[Deployment(typeof(Small), Devices.H100, TensorParallel = 2)]
[Decode(Batch = 2, Context = 1024)]
public sealed partial class SmallDeployed : Deployment;
