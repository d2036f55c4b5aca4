namespace Preserve.Optimizer;

/// <summary>How an operator is divided over the ranks of a tensor-parallel group (Megatron-LM, arXiv 1909.08053).</summary>
internal abstract record Partition
{
    private Partition()
    {
    }

    /// <summary>Every rank does all of it.</summary>
    public static Partition None { get; } = new Replicated();

    /// <summary>Each rank computes a part of the columns, from all of the input.</summary>
    public static Partition Columns { get; } = new ByColumns();

    /// <summary>Each rank sums over a part of the depth: the result is a summand.</summary>
    public static Partition Rows { get; } = new ByRows();

    public sealed record Replicated : Partition;

    public sealed record ByColumns : Partition;

    public sealed record ByRows : Partition;

    /// <summary>Each rank has a part of the vocabulary; the last part is padded.</summary>
    /// <param name="Vocabulary">Tokens of all ranks.</param>
    public sealed record ByVocabulary(int Vocabulary) : Partition;

    /// <summary>Each rank has a part of the heads. KV heads are replicated when the ranks exceed them.</summary>
    /// <param name="QueryHeads">Query heads that the operator spans, 0 where it touches none.</param>
    /// <param name="KeyValueHeads">KV heads of all ranks.</param>
    /// <param name="KeyValueParts">How many of keys and values the operator spans: 0, 1 or 2.</param>
    /// <param name="HeadSize">Elements per head.</param>
    public sealed record ByHeads(int QueryHeads, int KeyValueHeads, int KeyValueParts, int HeadSize) : Partition
    {
        /// <summary>Heads of one rank, keys and values counted apart.</summary>
        public int HeadsOf(int ranks) => (QueryHeads / ranks) + (KeyValueParts * KeyValueHeadsOf(KeyValueHeads, ranks));

        /// <summary>Elements of one rank per token.</summary>
        public int WidthOf(int ranks) => HeadsOf(ranks) * HeadSize;
    }

    /// <summary>KV heads that one rank holds: at least one.</summary>
    public static int KeyValueHeadsOf(int heads, int ranks) => ranks >= heads ? 1 : heads / ranks;
}
