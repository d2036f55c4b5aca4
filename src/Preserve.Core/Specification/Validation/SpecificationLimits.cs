namespace Preserve;

/// <summary>The range of every value of a specification. Wide enough for any machine that is foreseen, and narrow enough
/// that no size that is computed from accepted values overflows.</summary>
public static class SpecificationLimits
{
    /// <summary>Width of the residual stream, in elements.</summary>
    public static ValueRange Hidden { get; } = new(1, 1_048_576);

    /// <summary>Tokens of the vocabulary.</summary>
    public static ValueRange Vocabulary { get; } = new(1, 16_777_216);

    /// <summary>Longest sequence, in tokens.</summary>
    public static ValueRange MaxPositions { get; } = new(1, 16_777_216);

    /// <summary>Rows of a learned position table, where there is one.</summary>
    public static ValueRange LearnedPositions { get; } = new(1, 16_777_216);

    /// <summary>How many times a pattern stands in the stack.</summary>
    public static ValueRange Repeat { get; } = new(1, 100_000);

    /// <summary>Layers of the whole stack.</summary>
    public static ValueRange LayerCount { get; } = new(1, 100_000);

    /// <summary>Query heads.</summary>
    public static ValueRange Heads { get; } = new(1, 65_536);

    /// <summary>Key and value heads.</summary>
    public static ValueRange KeyValueHeads { get; } = new(1, 65_536);

    /// <summary>Elements per head.</summary>
    public static ValueRange HeadSize { get; } = new(1, 65_536);

    /// <summary>Elements of all query heads together.</summary>
    public static ValueRange QueryWidth { get; } = new(1, 16_777_216);

    /// <summary>Attended tokens of a sliding window, where there is one.</summary>
    public static ValueRange Window { get; } = new(1, int.MaxValue);

    /// <summary>Width of a feed-forward block, in elements.</summary>
    public static ValueRange Intermediate { get; } = new(1, 16_777_216);

    /// <summary>Trained parameters of the whole model: sizes in bits still fit 64.</summary>
    public static ValueRange Parameters { get; } = new(1, 1L << 56);

    /// <summary>Ranks of a tensor-parallel group.</summary>
    public static ValueRange TensorParallel { get; } = new(1, 1_024);

    /// <summary>Sequences in a batch.</summary>
    public static ValueRange Batch { get; } = new(1, 65_536);

    /// <summary>Cached tokens of one sequence.</summary>
    public static ValueRange Context { get; } = new(1, 16_777_216);

    /// <summary>Cached tokens of a batch; at least one for each sequence.</summary>
    public static ValueRange CachedTokens { get; } = new(1, 1_073_741_824);

    /// <summary>Tokens of a block of a paged KV-cache, where it is paged.</summary>
    public static ValueRange KeyValueBlockTokens { get; } = new(1, 65_536);

    /// <summary>Tokens that a generation gives to one sequence: the first comes with the prefill.</summary>
    public static ValueRange Generated { get; } = new(2, 16_777_216);

    /// <summary>Batches that one layer serves before the next one.</summary>
    public static ValueRange BatchesPerLayer { get; } = new(1, 1_024);

    /// <summary>Prompt tokens of one sequence.</summary>
    public static ValueRange Tokens { get; } = new(1, 16_777_216);

    /// <summary>New tokens of a whole batch: the rows of its matmuls.</summary>
    public static ValueRange Rows { get; } = new(1, 1_073_741_824);

    /// <summary>Floating-point operations of one step: its time in picoseconds still fits 64 bits at 1 TFLOP/s.</summary>
    public static ValueRange Operations { get; } = new(1, 1L << 62);
}
