using System;
using System.Collections.Generic;
using System.Globalization;

namespace Preserve.Optimizer;

/// <summary>What the split of one layer's KV-cache depends on: sizes and rates of one rank.</summary>
/// <remarks>The cache of s' tokens lies in host memory. For the first l of them the layer's input activations X cross the link, and
/// keys and values are computed again; for the others the keys and values cross (KVPR, arXiv 2411.17089).</remarks>
/// <param name="Batch">Sequences b, 1 or more.</param>
/// <param name="Hidden">Width h of the stored activations, in elements, 1 or more.</param>
/// <param name="KeyValueWidth">d_kv of one rank: its KV heads x head size, in elements, 1 or more.</param>
/// <param name="ActivationBytes">Bytes p_x of an element of X, above 0.</param>
/// <param name="KeyValueBytes">Bytes p_kv of an element of the cache, above 0: 2 in 16 bit, 9/16 in 4 bit with scales.</param>
/// <param name="LinkBytesPerSecond">Rate v_c of one rank's link from host memory, above 0.</param>
/// <param name="Recompute">Time of the matmul (b l x h)(h x 2 d_kv) of one rank.</param>
/// <param name="Prompt">Tokens s of each sequence whose X was stored, at prefill; 0 to 16,777,216. l is at most s.</param>
public sealed record KvSplitProblem(
    int Batch,
    int Hidden,
    int KeyValueWidth,
    Rational ActivationBytes,
    Rational KeyValueBytes,
    Rational LinkBytesPerSecond,
    TokenTime Recompute,
    int Prompt)
{
    /// <summary>Fixed time of one transfer, 0 or more. The copy of keys and values stands in every step: no X is stored for what was
    /// generated since the prefill.</summary>
    public Rational TransferSeconds { get; init; }

    /// <summary>Rate of the host's memory, which the ranks share; null where it is no limit.</summary>
    public Rational? HostMemoryBytesPerSecond { get; init; }

    /// <summary>Bytes of the weights that cross before the recomputation can begin, W_K and W_V; 0 where weights stay on the device.</summary>
    public long FirstWeightBytes { get; init; }

    /// <summary>Bytes of the weights that cross while K and V are recomputed; 0 where weights stay on the device.</summary>
    public long OtherWeightBytes { get; init; }

    /// <summary>Batches that a layer serves with the weights that cross once, 1 or more: each bears its share of them.</summary>
    public int Batches { get; init; } = 1;

    /// <summary>l is a multiple of it, 1 or more, or the whole prompt: a matmul of an irregular number of rows loses a part of its last tile.</summary>
    public int Tile { get; init; } = 1;

    /// <summary>Ranks of the tensor-parallel group, all on one host; 1 or more.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Time of the all-gather of the X of l tokens over the scale-up link, to price the form in which each rank pulls its
    /// part only; null where that is not considered. Only with two ranks or more.</summary>
    public TokenTime? Gather { get; init; }

    /// <summary>Time of everything else that the device does in a layer, 0 or more: in the pipelined form it runs beside the transfers.</summary>
    public Rational OtherSeconds { get; init; }

    /// <summary>What that grows by for each cached token, 0 or more: the attention.</summary>
    public Rational OtherSecondsPerToken { get; init; }

    /// <summary>The problem of one kind of layer of a deployment.</summary>
    /// <remarks>Keys and values that a sliding window has left are never read: of such a layer nothing is recomputed.</remarks>
    /// <param name="rates">Of the device or machine.</param>
    /// <param name="deployment">The deployment, accepted by the rules of the declaration.</param>
    /// <param name="layer">One of its layers.</param>
    /// <param name="batch">Sequences in the batch, 1 or more.</param>
    /// <param name="prompt">Tokens whose activations are stored, 0 or more.</param>
    /// <param name="tile">l is a multiple of it, 1 or more, or the whole prompt.</param>
    /// <exception cref="NotSupportedException">The layer's attention is of a kind that has no keys and values by heads.</exception>
    public static KvSplitProblem Of(ISplitRates rates, DeploymentSpec deployment, LayerSpec layer, int batch, int prompt, int tile)
    {
        if (rates is null)
            throw new ArgumentNullException(nameof(rates));
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        if (layer is null)
            throw new ArgumentNullException(nameof(layer));
        if (layer.Attention is not MultiHeadAttentionSpec attention)
            throw new NotSupportedException($"attention of kind {layer.Attention.GetType().Name} has no keys and values by heads");
        var ranks = deployment.TensorParallel;
        var hidden = deployment.Model.Hidden;
        // More ranks than KV heads: each head is replicated over the ranks whose queries share it.
        var width = Math.Max(attention.KeyValueHeads / ranks, 1) * attention.HeadSize;
        var activationBytes = BytesOf(deployment.Offload.StoredActivations);
        var offloaded = deployment.Offload.Weights == Home.Host;
        var first = offloaded ? deployment.Weights.Bytes(2L * width * hidden) : 0;
        var copy = rates.Copy(TransferDirection.HostToDevice);
        return new KvSplitProblem(
            batch, hidden, width, activationBytes, BytesOf(deployment.KeyValues), copy.BytesPerSecond,
            rates.Recompute(batch, hidden, width, tile, prompt), prompt)
        {
            TransferSeconds = copy.FixedSeconds,
            HostMemoryBytesPerSecond = rates.HostMemoryBytesPerSecond,
            FirstWeightBytes = first,
            OtherWeightBytes = offloaded ? new RankSizes(deployment).LayerMatrixBytes(layer) - first : 0,
            Batches = deployment.Offload.BatchesPerLayer,
            Tile = tile,
            Ranks = ranks,
            Gather = ranks > 1 && AreColumnsDivided(deployment) ? rates.Gather(activationBytes * batch * hidden, ranks, tile, prompt) : null,
        };

        static Rational BytesOf(Precision precision) => new(precision.BitsOfGroup(), 8 * PrecisionSizes.ScaleGroup);
    }

    /// <summary>Whether each rank can store its part of the activations' columns: as many as each other rank, and of 4-bit ones whole groups.</summary>
    private static bool AreColumnsDivided(DeploymentSpec deployment)
    {
        var (hidden, ranks, stored) = (deployment.Model.Hidden, deployment.TensorParallel, deployment.Offload.StoredActivations);
        return hidden % ranks == 0 && stored.CachedBytes(hidden / ranks) * ranks == stored.CachedBytes(hidden);
    }

    /// <summary>What is said where <see cref="KeepsPrompt"/> holds of no layer.</summary>
    public const string NoneKeepsPrompt = "no layer keeps the first tokens of its prompt";

    /// <summary>Whether a layer attends to the first tokens of its prompt, which alone could be recomputed: a window drops them.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="most">The most tokens that are cached.</param>
    public static bool KeepsPrompt(LayerSpec layer, int most) => layer.Attention is MultiHeadAttentionSpec { Window: var window } && (window == 0 || window > most);

    /// <summary>The rate at which one rank receives: its link, or its part of the host's memory.</summary>
    public Rational RankBytesPerSecond => HostMemoryBytesPerSecond is { } memory ? Rational.Min(LinkBytesPerSecond, memory / Ranks) : LinkBytesPerSecond;

    /// <summary>How X may reach the ranks, the way with the larger ratio of X to keys and values first.</summary>
    public IReadOnlyList<ActivationTransfer> Transfers => Gather is null ? [ActivationTransfer.Whole] : [ActivationTransfer.Whole, ActivationTransfer.Gathered];

    /// <summary>Bytes of one token of every sequence, in X and in the KV-cache, as they cross one rank's link.</summary>
    /// <param name="activations">How X reaches the ranks.</param>
    public SplitSizes Sizes(ActivationTransfer activations)
    {
        var x = ActivationBytes * Batch * Hidden;
        return new(activations, activations == ActivationTransfer.Gathered ? Ranks : 1, Batch, x, KeyValueBytes * 2 * Batch * KeyValueWidth);
    }

    /// <summary>Refuses values out of their ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Check()
    {
        AtLeast(nameof(Batch), Batch, 1);
        AtLeast(nameof(Hidden), Hidden, 1);
        AtLeast(nameof(KeyValueWidth), KeyValueWidth, 1);
        AtLeast(nameof(Prompt), Prompt, 0);
        if (Prompt > SpecificationLimits.Context.Most)
            throw new ArgumentException($"Prompt is {Prompt}, but must be at most {SpecificationLimits.Context.Most}");
        AtLeast(nameof(Tile), Tile, 1);
        AtLeast(nameof(Batches), Batches, 1);
        AtLeast(nameof(Ranks), Ranks, 1);
        AtLeast(nameof(FirstWeightBytes), FirstWeightBytes, 0);
        AtLeast(nameof(OtherWeightBytes), OtherWeightBytes, 0);
        Sign(nameof(ActivationBytes), ActivationBytes, 1);
        Sign(nameof(KeyValueBytes), KeyValueBytes, 1);
        Sign(nameof(LinkBytesPerSecond), LinkBytesPerSecond, 1);
        Sign(nameof(HostMemoryBytesPerSecond), HostMemoryBytesPerSecond ?? 1, 1);
        Sign(nameof(TransferSeconds), TransferSeconds, 0);
        Sign(nameof(OtherSeconds), OtherSeconds, 0);
        Sign(nameof(OtherSecondsPerToken), OtherSecondsPerToken, 0);
        Check(nameof(Recompute), Recompute);
        if (Gather is null)
            return;
        Check(nameof(Gather), Gather);
        if (Ranks == 1)
            throw new ArgumentException("Gather is given, but Ranks is 1: one rank has nobody to gather from");
    }

    private void Check(string name, TokenTime time)
    {
        switch (time)
        {
            case LinearTime linear:
                Sign(name + "." + nameof(linear.FixedSeconds), linear.FixedSeconds, 0);
                Sign(name + "." + nameof(linear.SecondsPerToken), linear.SecondsPerToken, 0);
                break;
            case SampledTime sampled when sampled.Tile != Tile:
                throw new ArgumentException($"{name} is sampled every {sampled.Tile} tokens, but Tile is {Tile}: sample it at multiples of the tile");
            case SampledTime sampled when sampled.Picoseconds.Count <= SampledTime.Tiles(Tile, Prompt):
                throw new ArgumentException($"{name} has {sampled.Picoseconds.Count} samples, but the {Prompt} tokens of the prompt in tiles of {Tile} need {SampledTime.Tiles(Tile, Prompt) + 1}, that of no token among them");
            case SampledTime sampled:
                for (var i = 0; i < sampled.Picoseconds.Count; i++)
                    AtLeast(name + "." + nameof(sampled.Picoseconds), sampled.Picoseconds[i], 0);
                if (sampled.Picoseconds[0] != 0)
                    throw new ArgumentException($"{name} takes {sampled.Picoseconds[0]} ps for no tokens, but must be 0 there");
                break;
            default:
                throw new ArgumentException($"{name} is not given");
        }
    }

    private static void AtLeast(string name, long value, long least)
    {
        if (value < least)
            throw new ArgumentException($"{name} is {value.ToString(CultureInfo.InvariantCulture)}, but must be {least} or more");
    }

    private static void Sign(string name, Rational value, int least)
    {
        if (value.Sign < least)
            throw new ArgumentException($"{name} is {value}, but must be {(least > 0 ? "above 0" : "0 or more")}");
    }
}
