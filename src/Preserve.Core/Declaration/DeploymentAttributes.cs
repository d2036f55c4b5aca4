using System;

namespace Preserve;

/// <summary>Declares where and how a model runs. The type is a partial class that derives from <see cref="Deployment"/>;
/// the generator writes its plans.</summary>
/// <param name="model">A type that carries <see cref="ModelAttribute"/>.</param>
/// <param name="device">A device id: one of <see cref="Devices"/>, or that of a <c>*.device.json</c> in the project.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class DeploymentAttribute(Type model, string device) : Attribute
{
    /// <summary>The model that runs.</summary>
    public Type Model { get; } = model;

    /// <summary>The device that each rank runs on.</summary>
    public string Device { get; } = device;

    /// <summary>Number of tensor-parallel ranks: 1 to 1,024. It divides the query heads and the feed-forward widths, and
    /// divides or is a multiple of the KV heads. Default: 1.</summary>
    public int TensorParallel { get; set; } = 1;

    /// <summary>Format of the matrices; norms and biases stay in bf16. Default: <see cref="Precision.Bf16"/>.</summary>
    public Precision Weights { get; set; }

    /// <summary>Format in which activations enter a matmul; the residual stream stays in bf16.
    /// Default: <see cref="Precision.Bf16"/>.</summary>
    public Precision Activations { get; set; }

    /// <summary>Format of the KV-cache. Default: <see cref="Precision.Bf16"/>.</summary>
    public Precision KeyValues { get; set; }

    /// <summary>Tokens of a block of the KV-cache, as servers page it: 1 to 65,536, 16 in many. Default: each sequence's cache lies in one
    /// piece.</summary>
    public int KeyValueBlockTokens { get; set; }

    /// <summary>How prefetches under collectives are chosen. Default: <see cref="PrefetchPolicy.Best"/>.</summary>
    public PrefetchPolicy Prefetch { get; set; } = PrefetchPolicy.Best;

    /// <summary>Which tensors may be prefetched. Default: <see cref="Preserve.PrefetchTargets.Both"/>.</summary>
    public PrefetchTargets PrefetchTargets { get; set; }

    /// <summary>Whether query, key and value, and gate and up, are matmuls of their own. Default: false.</summary>
    public bool SeparateProjections { get; set; }

    /// <summary>Whether the ranks share the tokens of norms and residual additions (sequence parallelism, Megatron-LM,
    /// arXiv 2205.05198): each all-reduce becomes a reduce-scatter before them and an all-gather after them.
    /// <see cref="TensorParallel"/> is 2 or more then, and divides the new tokens of every step. Default: false.</summary>
    public bool SequenceParallel { get; set; }

    /// <summary>What shares a kernel with the collectives that sum. Other than <see cref="Preserve.CollectiveFusion.None"/>,
    /// <see cref="TensorParallel"/> is 2 or more; a norm cannot be fused with <see cref="SequenceParallel"/>, under which it runs between
    /// two collectives. Default: <see cref="Preserve.CollectiveFusion.None"/>.</summary>
    public CollectiveFusion CollectiveFusion { get; set; }

    /// <summary>Where the KV-cache lives. <see cref="Home.Host"/> brings it over the host link in every decode step, or a part of it as
    /// stored activations to recompute it from, as <see cref="Recompute"/> says. Default: <see cref="Home.Device"/>.</summary>
    public Home KeyValueHome { get; set; }

    /// <summary>Where the layers' matrices live. <see cref="Home.Host"/> brings those of each layer over the host link while the layer
    /// before it runs; norms, biases, the embedding and the output head stay on the device. Default: <see cref="Home.Device"/>.</summary>
    public Home WeightHome { get; set; }

    /// <summary>What the order of layers and batches makes best. <see cref="Preserve.Objective.Throughput"/> needs
    /// <see cref="KeyValueHome"/> or <see cref="WeightHome"/> to be <see cref="Home.Host"/>. Default:
    /// <see cref="Preserve.Objective.Latency"/>.</summary>
    public Objective Objective { get; set; }

    /// <summary>Batches that one layer serves before the next one, each with the sequences that a step declares: 1 to 1,024, of which up to 32 are
    /// planned for. More than 1 needs <see cref="Preserve.Objective.Throughput"/>, and nothing is prefetched into the L2 then. Default: 1.</summary>
    public int BatchesPerLayer { get; set; } = 1;

    /// <summary>Format of the activations that are stored in the host's memory to recompute keys and values from. Other than
    /// <see cref="Precision.Bf16"/> it changes results, and needs <see cref="KeyValueHome"/> to be <see cref="Home.Host"/>.
    /// Default: <see cref="Precision.Bf16"/>.</summary>
    public Precision StoredActivations { get; set; }

    /// <summary>Which keys and values of a KV-cache in the host's memory are recomputed. Default:
    /// <see cref="RecomputePolicy.Best"/>.</summary>
    public RecomputePolicy Recompute { get; set; } = RecomputePolicy.Best;
}

/// <summary>Asks for the plan of a decode step: one new token per sequence. The plan serves every context from 1 to the
/// declared one. Give either <see cref="Context"/> or <see cref="CachedTokens"/>.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class DecodeAttribute : Attribute
{
    /// <summary>Sequences in the batch: 1 to 65,536. Required.</summary>
    public int Batch { get; set; }

    /// <summary>Most tokens that each sequence has cached before the step: 1 to 16,777,216.</summary>
    public int Context { get; set; }

    /// <summary>Most tokens that all sequences together have cached before the step, for mixed lengths: from
    /// <see cref="Batch"/> to 1,073,741,824.</summary>
    public int CachedTokens { get; set; }

    /// <summary>How many of the tokens of <see cref="Context"/> came with the prompt of each sequence: 1 to <see cref="Context"/>. The plan
    /// then serves every context from it on. Default: not said.</summary>
    public int Prompt { get; set; }
}

/// <summary>Asks for the plan of a prefill step: the whole prompt of every sequence, on an empty cache.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class PrefillAttribute : Attribute
{
    /// <summary>Sequences in the batch: 1 to 65,536. Required.</summary>
    public int Batch { get; set; }

    /// <summary>Prompt tokens per sequence: 1 to 16,777,216, and no more than 1,073,741,824 in the batch. Required.</summary>
    public int Tokens { get; set; }
}

/// <summary>Asks for the plans of a whole generation: the prefill of the prompt, and a decode step that serves every context from
/// there to the last token. It stands for a <see cref="PrefillAttribute"/> and a <see cref="DecodeAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class GenerationAttribute : Attribute
{
    /// <summary>Sequences in the batch: 1 to 65,536. Required.</summary>
    public int Batch { get; set; }

    /// <summary>Prompt tokens per sequence: 1 to 16,777,216, and no more than 1,073,741,824 in the batch. Required.</summary>
    public int Prompt { get; set; }

    /// <summary>Tokens that each sequence is given: 2 to 16,777,216, the first by the prefill. With the prompt no more than
    /// 16,777,218. Required.</summary>
    public int Tokens { get; set; }
}
