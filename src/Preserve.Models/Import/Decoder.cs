using System;
using System.Linq;

namespace Preserve;

/// <summary>A decoder as the architectures describe it: all layers alike, but for those that attend in a window and those that do
/// not rotate.</summary>
internal sealed record Decoder
{
    public required int Hidden { get; init; }

    public required int Vocabulary { get; init; }

    public required int Positions { get; init; }

    public required int Layers { get; init; }

    public required bool TiedEmbeddings { get; init; }

    /// <summary>Attention of a layer that attends to all tokens.</summary>
    public required MultiHeadAttentionSpec Attention { get; init; }

    public required DenseFeedForwardSpec FeedForward { get; init; }

    /// <summary>The normalisation of every place.</summary>
    public Norm Norm { get; init; } = Norm.Rms;

    public bool PostNorm { get; init; }

    public bool Parallel { get; init; }

    public bool SeparateNorms { get; init; }

    /// <summary>Rows of a learned position table; 0 for rotary positions.</summary>
    public int LearnedPositions { get; init; }

    public bool EmbeddingScale { get; init; }

    public bool LogitSoftCap { get; init; }

    public bool HeadBias { get; init; }

    /// <summary>Attended tokens of a layer that attends in a window.</summary>
    public int? Window { get; init; }

    /// <summary>Which layers attend in the window; null where all do that have one.</summary>
    public Func<int, bool>? IsLocal { get; init; }

    /// <summary>Which layers rotate queries and keys; null where all do.</summary>
    public Func<int, bool>? IsRotated { get; init; }

    public ModelSpec ToSpec(string name)
    {
        var kinds = Enumerable.Range(0, Layers)
            .Select(i => (Local: Window is not null && IsLocal?.Invoke(i) != false, Rotated: IsRotated?.Invoke(i) != false))
            .ToArray();
        var mixedWindows = kinds.Any(k => k.Local) && !kinds.All(k => k.Local);
        var mixedPositions = kinds.Any(k => k.Rotated) && !kinds.All(k => k.Rotated);
        var layers = kinds.Distinct().ToDictionary(k => k, k => Layer(NameOf(k.Local, k.Rotated), k.Local, k.Rotated));
        return new ModelSpec(
            name, Hidden, Vocabulary, Positions, TiedEmbeddings, LearnedPositions, EmbeddingScale, Norm, LogitSoftCap, HeadBias,
            LayerGroups.Canonical(LayerSequence.Groups([.. kinds.Select(k => layers[k])])));

        string NameOf(bool local, bool rotated)
        {
            var window = !mixedWindows ? "" : local ? "Local" : "Global";
            var position = !mixedPositions ? "" : rotated ? "Rotary" : "Unrotated";
            return window + position is { Length: > 0 } kind ? kind + "Layer" : "DecoderLayer";
        }
    }

    private LayerSpec Layer(string name, bool local, bool rotated) => new(
        name, Norm, PostNorm,
        LearnedPositions > 0 ? Position.Learned : rotated ? Position.Rotary : Position.None,
        Parallel,
        local ? Attention with { Window = Window.GetValueOrDefault() } : Attention,
        new FeedForwardSpec[] { FeedForward },
        SeparateNorms);
}
