using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Divides the operators over the ranks: columns first, rows second, so that a block needs one reduction
/// (Megatron-LM, arXiv 1909.08053). Each operator afterwards says whether a rank holds its result whole, a part, or a summand.
/// With sequence parallelism, what every rank would do alike to each token, it does to its share of them (arXiv 2205.05198).</summary>
/// <remarks>Precondition: a graph of one rank, as lowered; the degree divides query heads and widths, and divides or is a
/// multiple of the KV heads. With sequence parallelism it divides the new tokens too.</remarks>
/// <param name="ranks">The degree.</param>
/// <param name="sequenceParallel">Whether norms and additions are divided by tokens.</param>
internal sealed class ShardTensorParallel(int ranks, bool sequenceParallel = false) : IPass
{
    public string Name => "shard tensor-parallel";

    public bool Run(Graph graph)
    {
        if (ranks == 1)
            return false;
        graph.Ranks = ranks;
        var readers = CountReaders(graph);
        var producers = new Dictionary<GraphReference, GraphOperator>();
        foreach (var op in graph.Operators)
        {
            op.Operation = Shard(op.Operation, op.Partition);
            op.Result = ResultOf(op, producers, readers);
            if (sequenceParallel && op.Result == Distribution.Whole)
                Scatter(graph, op);
            TensorSizes.Set(graph, op);
            foreach (var write in op.Writes)
                producers[write] = op;
        }
        return true;
    }

    /// <summary>Leaves a rank its share of the tokens. The last norm of a prefill takes one token of each sequence, which do not lie
    /// evenly over the ranks: it stays whole.</summary>
    private void Scatter(Graph graph, GraphOperator op)
    {
        var rows = graph.Step.Batch * graph.Step.NewTokens;
        Operation? share = op.Operation switch
        {
            NormOperation o when o.Rows == rows => o with { Rows = rows / ranks },
            ElementwiseOperation o when o.Rows == rows => o with { Rows = rows / ranks },
            _ => null,
        };
        if (share is not null)
            (op.Operation, op.Result) = (share, Distribution.Scattered);
    }

    private static Dictionary<GraphReference, int> CountReaders(Graph graph)
    {
        var readers = new Dictionary<GraphReference, int>();
        foreach (var op in graph.Operators)
        {
            foreach (var read in op.Reads)
            {
                readers.TryGetValue(read, out var count);
                readers[read] = count + 1;
            }
        }
        return readers;
    }

    private Operation Shard(Operation operation, Partition partition) => (operation, partition) switch
    {
        (MatMulOperation o, Partition.ByColumns) => o with { Columns = o.Columns / ranks },
        (MatMulOperation o, Partition.ByRows) => o with { Depth = o.Depth / ranks },
        (MatMulOperation o, Partition.ByVocabulary v) => o with { Columns = TensorSizes.VocabularyPart(v.Vocabulary, ranks) },
        (MatMulOperation o, Partition.ByHeads h) => o with { Columns = h.WidthOf(ranks) },
        (ElementwiseOperation o, Partition.ByColumns) => o with { Width = o.Width / ranks },
        (ElementwiseOperation o, Partition.ByVocabulary v) => o with { Width = TensorSizes.VocabularyPart(v.Vocabulary, ranks) },
        (ElementwiseOperation o, Partition.ByHeads h) => o with { Width = h.WidthOf(ranks) },
        (NormOperation o, Partition.ByHeads h) => o with { Rows = o.Rows / h.HeadsOf(1) * h.HeadsOf(ranks) },
        (AttentionOperation o, Partition.ByHeads h) => o with { Heads = h.QueryHeads / ranks, KeyValueHeads = Partition.KeyValueHeadsOf(h.KeyValueHeads, ranks) },
        _ => operation,
    };

    private static Distribution ResultOf(
        GraphOperator op, Dictionary<GraphReference, GraphOperator> producers, Dictionary<GraphReference, int> readers)
    {
        if (op.Operation is EmbedOperation || op.Partition is Partition.ByRows)
            return Distribution.Partial;
        if (op.Partition is Partition.ByColumns or Partition.ByHeads or Partition.ByVocabulary)
            return Distribution.Split;
        // A sum of summands is a summand of the sum, and its reduction can wait, if nobody else wants its terms whole.
        var sumsSummands = op.Operation is ElementwiseOperation { Function: ElementwiseFunction.Add }
            && op.Reads.All(r => readers[r] == 1 && producers.TryGetValue(r, out var producer) && producer.Result == Distribution.Partial);
        return sumsSummands ? Distribution.Partial : Distribution.Whole;
    }
}
