using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What the architectures read alike.</summary>
internal static class DecoderReading
{
    private static readonly string[] s_geluSpellings = ["gelu", "gelu_new", "gelu_fast", "gelu_python", "gelu_pytorch_tanh", "gelu_accurate"];

    private static readonly Dictionary<string, Activation> s_gated =
        s_geluSpellings.Select(g => (g, Activation.GeGlu)).Append(("silu", Activation.SwiGlu)).Append(("swish", Activation.SwiGlu)).ToDictionary();

    private static readonly Dictionary<string, Activation> s_plain =
        s_geluSpellings.Select(g => (g, Activation.Gelu)).Append(("relu", Activation.Relu)).ToDictionary();

    private static readonly Dictionary<string, bool> s_layerTypes = new() { ["sliding_attention"] = true, ["full_attention"] = false };

    /// <summary>A gate's activation: of a feed-forward block with three matrices.</summary>
    public static Activation Gated(this ConfigReader config, string key, string unset) => config.Word(key, unset, s_gated);

    /// <summary>The activation of a feed-forward block with two matrices.</summary>
    public static Activation Plain(this ConfigReader config, string key, string unset) => config.Word(key, unset, s_plain);

    /// <summary>Reads the sizes. The caller sets what its architecture does with them.</summary>
    /// <param name="config">The file.</param>
    /// <param name="defaults">The sizes where the file gives none.</param>
    /// <param name="tied">Whether the output head is the embedding where the file does not say.</param>
    /// <param name="activation">The activation.</param>
    /// <param name="keys">The keys of the sizes; null for the usual ones.</param>
    public static Decoder Decoder(this ConfigReader config, SizeDefaults defaults, bool tied, Activation activation, SizeKeys? keys = null)
    {
        keys ??= SizeKeys.Usual;
        var hidden = config.RequiredSize(SizeKind.Hidden, keys.Hidden);
        var heads = config.Size(SizeKind.Heads, keys.Heads, defaults.Heads);
        var keyValueHeads = keys.KeyValueHeads is null ? heads : config.OptionalSize(SizeKind.KeyValueHeads, keys.KeyValueHeads, defaults.KeyValueHeads ?? heads) ?? heads;
        var intermediate = defaults.Intermediate is { } unset
            ? config.Size(SizeKind.Intermediate, keys.Intermediate, unset)
            : config.OptionalSize(SizeKind.Intermediate, keys.Intermediate, null) ?? 4 * hidden;
        return new Decoder
        {
            Hidden = hidden,
            Vocabulary = config.Size(SizeKind.Vocabulary, "vocab_size", defaults.Vocabulary),
            Positions = config.Size(SizeKind.Positions, keys.Positions, defaults.Positions),
            Layers = config.RequiredSize(SizeKind.Layers, keys.Layers),
            TiedEmbeddings = config.Flag("tie_word_embeddings", tied),
            Attention = new MultiHeadAttentionSpec(
                heads, keyValueHeads, HeadSize(config, defaults, keys, hidden, heads), ProjectionBias.None, QueryKeyNorm: false, Window: 0, SoftCap: false),
            FeedForward = new DenseFeedForwardSpec(intermediate, activation, Bias: false),
        };
    }

    public static Decoder With(this Decoder decoder, ProjectionBias bias) => decoder with { Attention = decoder.Attention with { Bias = bias } };

    public static Decoder WithFeedForwardBias(this Decoder decoder, bool bias) => decoder with { FeedForward = decoder.FeedForward with { Bias = bias } };

    /// <summary>A window that every layer attends in, where there is one.</summary>
    public static Decoder WithWindow(this Decoder decoder, ConfigReader config, int? unset) =>
        decoder with { Window = config.OptionalSize(SizeKind.Window, "sliding_window", unset) };

    /// <summary>A window that some layers attend in: those of <c>layer_types</c>, or those that the architecture names.</summary>
    public static Decoder WithWindow(this Decoder decoder, ConfigReader config, int? window, Func<int, bool> isLocal)
    {
        var types = config.PerLayer("layer_types", decoder.Layers, mayBeLonger: false, s_layerTypes);
        var first = window is null && types is not null ? Array.IndexOf(types, true) : -1;
        if (first >= 0)
            config.Refuse($"layer_types[{first}]", config.Value("layer_types")!.Items[first], "'full_attention': no window is given for it to slide");
        return decoder with { Window = window, IsLocal = types is null ? isLocal : i => types[i] };
    }

    /// <summary>A plan rotates whole heads. The published models of some architectures rotate a part of each.</summary>
    public static void NotePartialRotation(this ConfigReader config, string key, double unset)
    {
        var share = config.Number(key, unset) ?? 1;
        if (share < 1)
            config.Note(FormattableString.Invariant($"{key} {share}: only that share of each head is rotated; a plan counts the rotation of all of it"));
    }

    private static int HeadSize(ConfigReader config, SizeDefaults defaults, SizeKeys keys, int hidden, int heads)
    {
        var given = keys.HeadSize is null ? null : config.OptionalSize(SizeKind.HeadSize, keys.HeadSize, defaults.HeadSize);
        if (given is { } size)
            return size;
        if (hidden % heads == 0)
            return hidden / heads;
        // Sizes that have errors of their own have no quotient to speak of.
        if (!config.HasErrors)
            config.Refuse(config.Value(keys.Heads), $"{keys.Heads} is {heads}, which does not divide {keys.Hidden}, {hidden}{(keys.HeadSize is null ? "" : $", and {keys.HeadSize} is not given")}");
        return 1;
    }
}
