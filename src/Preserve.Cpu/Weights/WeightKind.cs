namespace Preserve.Cpu;

/// <summary>The weights of a whole model, before any sharding. A matrix has a row for each of its outputs.</summary>
public enum WeightKind
{
    /// <summary>Vocabulary x hidden.</summary>
    Embedding,

    /// <summary>Learned positions x hidden.</summary>
    Positions,

    /// <summary>One row of hidden.</summary>
    FinalNorm,

    /// <summary>One row of hidden; only of a layer norm.</summary>
    FinalNormBias,

    /// <summary>Vocabulary x hidden; a tied one is never asked for.</summary>
    Head,

    /// <summary>One row of the vocabulary.</summary>
    HeadBias,

    /// <summary>One row of hidden.</summary>
    AttentionNorm,

    /// <summary>One row of hidden; only of a layer norm.</summary>
    AttentionNormBias,

    /// <summary>Query heads x head size, by hidden.</summary>
    Query,

    /// <summary>KV heads x head size, by hidden.</summary>
    Key,

    /// <summary>KV heads x head size, by hidden.</summary>
    Value,

    /// <summary>One row of the queries' width.</summary>
    QueryBias,

    /// <summary>One row of the keys' width.</summary>
    KeyBias,

    /// <summary>One row of the values' width.</summary>
    ValueBias,

    /// <summary>One row of the head size.</summary>
    QueryNorm,

    /// <summary>One row of the head size.</summary>
    KeyNorm,

    /// <summary>Hidden, by query heads x head size.</summary>
    Output,

    /// <summary>One row of hidden.</summary>
    OutputBias,

    /// <summary>One row of hidden: the norm of the attention's output.</summary>
    AttentionPostNorm,

    /// <summary>One row of hidden; only of a layer norm.</summary>
    AttentionPostNormBias,

    /// <summary>One row of hidden: the norm before the feed-forward block.</summary>
    FeedForwardNorm,

    /// <summary>One row of hidden; only of a layer norm.</summary>
    FeedForwardNormBias,

    /// <summary>Intermediate x hidden; only of a gated activation.</summary>
    Gate,

    /// <summary>Intermediate x hidden.</summary>
    Up,

    /// <summary>One row of the intermediate width.</summary>
    GateBias,

    /// <summary>One row of the intermediate width.</summary>
    UpBias,

    /// <summary>Hidden x intermediate.</summary>
    Down,

    /// <summary>One row of hidden.</summary>
    DownBias,

    /// <summary>One row of hidden: the norm of the feed-forward block's output.</summary>
    FeedForwardPostNorm,

    /// <summary>One row of hidden; only of a layer norm.</summary>
    FeedForwardPostNormBias,
}
