namespace Preserve.Optimizer;

/// <summary>Sizes of tensors from the shapes of the operators that touch them: one place for lowering and sharding alike.</summary>
internal static class TensorSizes
{
    /// <summary>Bytes per element of the residual stream and of everything computed on the way: bf16.</summary>
    private const long ValueBytes = 2;

    /// <summary>Sets the sizes of what the operator writes and of its weights.</summary>
    public static void Set(Graph graph, GraphOperator op)
    {
        foreach (var read in op.Reads)
        {
            var tensor = read.Tensor;
            if (tensor.Role == TensorRole.Weight && WeightBytes(op.Operation, op.Partition, tensor, graph.Ranks) is { } bytes)
                tensor.Units = bytes;
            if (tensor.Role == TensorRole.KeyValues && op.Operation is AttentionOperation attention)
                tensor.UnitBytes = KeyValueBytes(graph.Step, attention.KeyValueHeads, attention.HeadSize, tensor.Format);
        }
        foreach (var write in op.Writes)
        {
            if (write.Tensor is { Role: TensorRole.Value } tensor)
                tensor.Units = ValueBytesOf(op.Operation);
        }
    }

    /// <summary>Bytes of one token's keys and values: in all sequences, or in its own where the context is a total.</summary>
    public static long KeyValueBytes(StepSpec step, int heads, int headSize, Precision format) =>
        checked((step.ContextIsTotal ? 1L : step.Batch) * KeyValueBytesOfToken(heads, headSize, format));

    /// <summary>Bytes of the keys and values of one token of one sequence.</summary>
    public static long KeyValueBytesOfToken(int heads, int headSize, Precision format) => checked(2 * format.CachedBytes((long)heads * headSize));

    private static long ValueBytesOf(Operation operation) => checked(ValueBytes * operation switch
    {
        EmbedOperation o => (long)o.Rows * o.Width,
        MatMulOperation o => (long)o.Rows * o.Columns,
        AttentionOperation o => (long)o.Sequences * o.NewTokens * o.Heads * o.HeadSize,
        NormOperation o => (long)o.Rows * o.Width,
        ElementwiseOperation o => (long)o.Rows * o.Width,
        CollectiveOperation { Kind: CollectiveKind.AllGather } o => o.Bytes / ValueBytes * o.Ranks,
        CollectiveOperation { Kind: CollectiveKind.ReduceScatter } o => o.Bytes / ValueBytes / o.Ranks,
        CollectiveOperation o => o.Bytes / ValueBytes,
        _ => 0,
    });

    /// <summary>Bytes of a weight, or null where no shape tells them.</summary>
    private static long? WeightBytes(Operation operation, Partition partition, GraphTensor tensor, int ranks) => operation switch
    {
        EmbedOperation o when partition is Partition.ByVocabulary v => tensor.Format.Bytes((long)VocabularyPart(v.Vocabulary, ranks) * o.Width),
        MatMulOperation o when tensor.IsMatrix => tensor.Format.Bytes((long)o.Columns * o.Depth),
        MatMulOperation o => tensor.Format.Bytes(o.Columns),
        ElementwiseOperation { Function: ElementwiseFunction.Add } o => tensor.Format.Bytes(o.Width),
        NormOperation o => tensor.Format.Bytes(o.Norm.ParameterCount(o.Width)),
        _ => null,
    };

    /// <summary>Rows of the embedding that one rank holds; the last rank's are padded.</summary>
    public static int VocabularyPart(int vocabulary, int ranks) => ((vocabulary - 1) / ranks) + 1;
}
