namespace Preserve;

/// <summary>The keys that an architecture gives its sizes under, where they are not the usual ones.</summary>
internal sealed record SizeKeys
{
    public static readonly SizeKeys Usual = new();

    public string Hidden { get; init; } = "hidden_size";

    public string Layers { get; init; } = "num_hidden_layers";

    public string Heads { get; init; } = "num_attention_heads";

    /// <summary>Null where each query head has a key and value head of its own.</summary>
    public string? KeyValueHeads { get; init; } = "num_key_value_heads";

    /// <summary>Null where the query heads always share the width of the residual stream.</summary>
    public string? HeadSize { get; init; } = "head_dim";

    public string Intermediate { get; init; } = "intermediate_size";

    public string Positions { get; init; } = "max_position_embeddings";
}

/// <summary>The sizes of an architecture where its <c>config.json</c> gives none. Width and layers always have to be given: published
/// files have them, and a file without them would silently be another model.</summary>
/// <param name="Vocabulary">Tokens.</param>
/// <param name="Intermediate">Width of the feed-forward block; null for four times that of the residual stream.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="Positions">Longest sequence.</param>
/// <param name="KeyValueHeads">Key and value heads; null for as many as query heads.</param>
/// <param name="HeadSize">Elements per head; null for the width over the heads.</param>
internal sealed record SizeDefaults(
    int Vocabulary, int? Intermediate, int Heads, int Positions, int? KeyValueHeads = null, int? HeadSize = null);
