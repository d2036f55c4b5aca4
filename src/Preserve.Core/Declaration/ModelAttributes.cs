using System;

namespace Preserve;

/// <summary>Declares a dense decoder-only transformer. Nothing is generated on the type that carries it.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false)]
public sealed class ModelAttribute : Attribute
{
    /// <summary>The model's name in plans and reports: one printable line, without '#', double blanks, or blanks around it.
    /// Default: the type's name.</summary>
    public string? Name { get; set; }

    /// <summary>Width of the residual stream, in elements: 1 to 1,048,576. Required.</summary>
    public int Hidden { get; set; }

    /// <summary>Number of tokens in the vocabulary: 1 to 16,777,216. Required.</summary>
    public int Vocabulary { get; set; }

    /// <summary>Longest sequence the model was made for, in tokens: 1 to 16,777,216. Default: 131,072.</summary>
    public int MaxPositions { get; set; } = ModelDefaults.MaxPositions;

    /// <summary>Whether the output head is the embedding matrix. Default: false.</summary>
    public bool TiedEmbeddings { get; set; }

    /// <summary>Rows of the learned position table (OPT: 2,050): 1 to 16,777,216. Those beyond <see cref="MaxPositions"/> stand before the first token's. Only with
    /// layers that declare <see cref="Position.Learned"/>, and then required. Default: no such table.</summary>
    public int LearnedPositions { get; set; }

    /// <summary>Whether the embedding is multiplied by a constant before the first layer (Gemma). Default: false.</summary>
    public bool EmbeddingScale { get; set; }

    /// <summary>The normalisation before the output head. Default: that of the last layer.</summary>
    public Norm FinalNorm { get; set; }

    /// <summary>Whether the logits pass through a soft cap (Gemma-2). Default: false.</summary>
    public bool LogitSoftCap { get; set; }

    /// <summary>Whether the output head adds a bias. Default: false.</summary>
    public bool HeadBias { get; set; }
}

/// <summary>Values that stand for an absent argument.</summary>
public static class ModelDefaults
{
    /// <summary>Longest sequence, in tokens, where the declaration names none.</summary>
    public const int MaxPositions = 131_072;
}

/// <summary>Puts a run of layers on the stack: a pattern of one or more layer types, repeated. Several of these
/// attributes count in source order, within one declaration of the model.</summary>
/// <param name="pattern">Types that carry <see cref="LayerAttribute"/>, in the order in which they stand.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, AllowMultiple = true, Inherited = false)]
public sealed class LayersAttribute(params Type[] pattern) : Attribute
{
    /// <summary>The layer types of one repeat.</summary>
    public Type[] Pattern { get; } = pattern;

    /// <summary>How many times the pattern stands in the stack: 1 to 100,000, and no more than 100,000 layers in all.
    /// Default: 1.</summary>
    public int Repeat { get; set; } = 1;
}

/// <summary>Declares one kind of decoder layer. The type also carries one attention and one feed-forward attribute.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false)]
public sealed class LayerAttribute : Attribute
{
    /// <summary>The normalisation before each block. Default: <see cref="Norm.Rms"/>.</summary>
    public Norm Norm { get; set; }

    /// <summary>Whether each block's output is normalised too, before it is added (Gemma-2). Default: false.</summary>
    public bool PostNorm { get; set; }

    /// <summary>How positions enter. Default: <see cref="Position.Rotary"/>.</summary>
    public Position Position { get; set; }

    /// <summary>Whether attention and feed-forward read the same normalised input and are added together
    /// (Phi-2, Falcon-7B). Default: false.</summary>
    public bool Parallel { get; set; }

    /// <summary>Whether the two blocks of a parallel layer each normalise their input with weights of their own (GPT-NeoX,
    /// Falcon-40B). Only with <see cref="Parallel"/>. Default: false.</summary>
    public bool SeparateNorms { get; set; }
}

/// <summary>Declares the multi-head, multi-query or grouped-query attention of a layer.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false)]
public sealed class AttentionAttribute : Attribute
{
    /// <summary>Number of query heads: 1 to 65,536. Required.</summary>
    public int Heads { get; set; }

    /// <summary>Number of key and value heads: a divisor of <see cref="Heads"/>. Default: <see cref="Heads"/>.</summary>
    public int KeyValueHeads { get; set; }

    /// <summary>Elements per head: 1 to 65,536, and no more than 16,777,216 in all heads. Default: the model's width over
    /// <see cref="Heads"/>, which then divides it.</summary>
    public int HeadSize { get; set; }

    /// <summary>Which projections add a bias. Default: <see cref="ProjectionBias.None"/>.</summary>
    public ProjectionBias Bias { get; set; }

    /// <summary>Whether queries and keys are normalised per head (Qwen3). Default: false.</summary>
    public bool QueryKeyNorm { get; set; }

    /// <summary>Attended tokens of a sliding window, the token itself included: 1 or more. Default: all tokens.</summary>
    public int Window { get; set; }

    /// <summary>Whether attention scores pass through a soft cap (Gemma-2). Default: false.</summary>
    public bool SoftCap { get; set; }
}

/// <summary>Declares the dense feed-forward block of a layer.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false)]
public sealed class FeedForwardAttribute : Attribute
{
    /// <summary>Width between the matrices, in elements: 1 to 16,777,216. Required.</summary>
    public int Intermediate { get; set; }

    /// <summary>The activation; a gated one has three matrices. Default: <see cref="Activation.SwiGlu"/>.</summary>
    public Activation Activation { get; set; }

    /// <summary>Whether every matrix has a bias. Default: false.</summary>
    public bool Bias { get; set; }
}
