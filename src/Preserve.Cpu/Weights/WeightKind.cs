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

/// <summary>One weight of a model.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Layer">Of which layer, counted from 0; -1 for one of no layer.</param>
public readonly record struct WeightName(WeightKind Kind, int Layer)
{
    /// <summary>The kind, and its layer where it has one, as messages tell it.</summary>
    public override string ToString() => Layer < 0 ? $"{Kind}" : $"{Kind} of layer {Layer}";
}

/// <summary>Where the weights of a whole model come from. Every degree of tensor parallelism reads its shards from the same.</summary>
public interface IWeightSource
{
    /// <summary>The model whose weights they are; null where the source does not know it.</summary>
    ModelSpec? Model => null;

    /// <summary>Reads a part of a row. Several threads may read at once.</summary>
    /// <param name="weight">The weight; the model has it.</param>
    /// <param name="row">The row, counted from 0.</param>
    /// <param name="column">The first element of the row that is wanted.</param>
    /// <param name="values">Takes as many elements as it is long.</param>
    /// <exception cref="KeyNotFoundException">There is no such weight; the message names it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The elements are not all of the weight.</exception>
    void Read(WeightName weight, int row, int column, Span<float> values);
}
