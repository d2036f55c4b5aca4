using System;

namespace Preserve;

/// <summary>Where and how a model runs: a group of tensor-parallel ranks and the steps that are planned for it.</summary>
/// <param name="Model">What is computed.</param>
/// <param name="Device">The id of the device that each rank runs on.</param>
/// <param name="TensorParallel">Number of ranks, 1 or more.</param>
/// <param name="Weights">Format of the matrices; norms and biases stay in bf16.</param>
/// <param name="Activations">Format in which activations enter a matmul; the residual stream stays in bf16.</param>
/// <param name="KeyValues">Format of the KV-cache.</param>
/// <param name="Prefetch">What may be prefetched under a collective.</param>
/// <param name="SeparateProjections">Whether query, key and value, and gate and up, are matmuls of their own.</param>
/// <param name="Steps">The steps to plan, in declared order; at least one.</param>
/// <param name="SequenceParallel">Whether the ranks share the tokens of norms and residual additions: each all-reduce becomes a
/// reduce-scatter before them and an all-gather after them (Megatron-LM, arXiv 2205.05198).</param>
/// <param name="CollectiveFusion">What shares a kernel with the collectives that sum.</param>
public sealed record DeploymentSpec(
    ModelSpec Model,
    string Device,
    int TensorParallel,
    Precision Weights,
    Precision Activations,
    Precision KeyValues,
    PrefetchPolicy Prefetch,
    bool SeparateProjections,
    EquatableArray<StepSpec> Steps,
    bool SequenceParallel = false,
    CollectiveFusion CollectiveFusion = CollectiveFusion.None)
{
    /// <summary>Which tensors the policy may prefetch.</summary>
    public PrefetchTargets PrefetchTargets { get; init; }

    /// <summary>Tokens of a block of the KV-cache, 1 or more; 0 where each sequence's cache lies in one piece.</summary>
    public int KeyValueBlockTokens { get; init; }

    /// <summary>What lives in the host's memory, and how it is brought to the device.</summary>
    public OffloadSpec Offload { get; init; } = OffloadSpec.None;
}

/// <summary>What shares a kernel with a collective that sums.</summary>
public enum CollectiveFusion
{
    /// <summary>Nothing: every kernel does one thing.</summary>
    None,

    /// <summary>The residual addition and the norm that follow it: their launches are saved, and the sum's way through memory.</summary>
    Norm,

    /// <summary>The matmul before it: tiles are exchanged while the next ones are computed (FLUX, arXiv 2406.06858).</summary>
    MatMul,
}

/// <summary>Which tensors may be prefetched.</summary>
public enum PrefetchTargets
{
    /// <summary>Weights and the KV-cache.</summary>
    Both,

    /// <summary>Weights only.</summary>
    Weights,

    /// <summary>The KV-cache only.</summary>
    KeyValues,
}

/// <summary>How prefetches under collectives are chosen.</summary>
public enum PrefetchPolicy
{
    /// <summary>No prefetch: the base plan.</summary>
    None,

    /// <summary>The published pass: whole tensors in order until the next does not fit the L2 (arXiv 2501.08192).</summary>
    Paper,

    /// <summary>Byte ranges that shorten the modelled step most.</summary>
    Best,
}

/// <summary>One forward pass. A closed family: <see cref="DecodeSpec"/> and <see cref="PrefillSpec"/>.</summary>
public abstract record StepSpec
{
    private protected StepSpec()
    {
    }

    /// <summary>Sequences in the batch, 1 or more.</summary>
    public abstract int Batch { get; }

    /// <summary>New tokens per sequence in this step.</summary>
    public abstract int NewTokens { get; }

    /// <summary>The largest context that the plan serves, in the unit of <see cref="ContextIsTotal"/>.</summary>
    public abstract int MaxContext { get; }

    /// <summary>The smallest context that the plan serves: the prompt, 1 where it is not said, or 0 for a prefill.</summary>
    public abstract int MinContext { get; }

    /// <summary>Whether the context counts the cached tokens of all sequences together, not of each.</summary>
    public abstract bool ContextIsTotal { get; }

    /// <summary>Tokens of the longest sequence after the step, at the largest context. Of a context that all sequences share no sequence's own length is
    /// known, but one of them has an equal share or more: the tokens are then those that it has at least.</summary>
    internal long LongestSequence => (ContextIsTotal ? ((long)MaxContext + Batch - 1) / Batch : MaxContext) + NewTokens;
}

/// <summary>A decode step: one new token per sequence.</summary>
/// <param name="Sequences">Sequences in the batch.</param>
/// <param name="Context">Most tokens cached before the step: per sequence, or all together with <paramref name="Total"/>.</param>
/// <param name="Total">Whether <paramref name="Context"/> is the total over the batch, for sequences of mixed lengths.</param>
/// <param name="Prompt">Tokens of each sequence that came with its prompt, of which a prefill can have stored activations; 0 where it
/// is not said. The plan serves no contexts below it.</param>
public sealed record DecodeSpec(int Sequences, int Context, bool Total, int Prompt = 0) : StepSpec
{
    /// <inheritdoc/>
    public override int Batch => Sequences;

    /// <inheritdoc/>
    public override int NewTokens => 1;

    /// <inheritdoc/>
    public override int MaxContext => Context;

    /// <inheritdoc/>
    public override int MinContext => Math.Max(Prompt, 1);

    /// <inheritdoc/>
    public override bool ContextIsTotal => Total;

    /// <inheritdoc/>
    public override string ToString() =>
        $"decode batch {Sequences} {(Total ? "cached" : "context")} {Context}" + (Prompt > 0 ? $" prompt {Prompt}" : "");
}

/// <summary>A prefill step: the whole prompt of every sequence, with an empty cache before it.</summary>
/// <param name="Sequences">Sequences in the batch.</param>
/// <param name="Tokens">Prompt tokens per sequence.</param>
public sealed record PrefillSpec(int Sequences, int Tokens) : StepSpec
{
    /// <inheritdoc/>
    public override int Batch => Sequences;

    /// <inheritdoc/>
    public override int NewTokens => Tokens;

    /// <inheritdoc/>
    public override int MaxContext => 0;

    /// <inheritdoc/>
    public override int MinContext => 0;

    /// <inheritdoc/>
    public override bool ContextIsTotal => false;

    /// <inheritdoc/>
    public override string ToString() => $"prefill batch {Sequences} tokens {Tokens}";
}
