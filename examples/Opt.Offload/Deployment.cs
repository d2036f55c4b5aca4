using Preserve;

namespace Opt.Offload;

/// <summary>OPT-30B, as published: https://huggingface.co/facebook/opt-30b.</summary>
[Model(Hidden = 7168, Vocabulary = 50_272, MaxPositions = 2048, TiedEmbeddings = true, LearnedPositions = 2050, FinalNorm = Norm.Layer)]
[Layers(typeof(DecoderLayer), Repeat = 48)]
public static class Opt30B
{
    [Layer(Norm = Norm.Layer, Position = Position.Learned)]
    [Attention(Heads = 56, HeadSize = 128, Bias = ProjectionBias.All)]
    [FeedForward(Intermediate = 28_672, Activation = Activation.Relu, Bias = true)]
    public sealed class DecoderLayer;
}

/// <summary>One A100 holds the weights, its host the KV-cache: 64 sequences with prompts of 512 tokens, given 128 tokens each.</summary>
[Deployment(typeof(Opt30B), Devices.A100Sxm80, KeyValueHome = Home.Host)]
[Generation(Batch = 64, Prompt = 512, Tokens = 128)]
public sealed partial class Opt30B_OnOneA100 : Deployment;

/// <summary>The same with all of the KV-cache transferred in every step: what the other is compared with.</summary>
[Deployment(typeof(Opt30B), Devices.A100Sxm80, KeyValueHome = Home.Host, Recompute = RecomputePolicy.None, Prefetch = PrefetchPolicy.None)]
[Generation(Batch = 64, Prompt = 512, Tokens = 128)]
public sealed partial class Opt30B_Transferred : Deployment;
