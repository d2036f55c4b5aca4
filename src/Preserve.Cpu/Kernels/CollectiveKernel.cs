namespace Preserve.Cpu;

/// <summary>Collectives of the ranks of one process: each reads what all have given, and sums it in the order of the ranks.</summary>
/// <remarks>A sum is rounded to its format before anything else is done to it, so that a kernel that also adds and normalises gives the bits of the three.</remarks>
internal sealed class CollectiveKernel(Rank rank)
{
    private readonly List<Operand> _parts = [];

    /// <summary>Runs a collective.</summary>
    /// <returns>False if the step was stopped meanwhile.</returns>
    public bool Run(Step step, CollectiveOperation operation, BoundInstruction bound, ReadOnlySpan<Operand> reads, ReadOnlySpan<Operand> writes, Scratch scratch)
    {
        if (!step.Rendezvous.Meet(bound.Index))
            return false;
        _parts.Clear();
        foreach (var other in step.Ranks)
            _parts.Add(operation.MatMul is null ? other.Operands(bound.FirstOperand, 1)[0] : Message(other, operation, writes));
        switch (operation.Kind)
        {
            case CollectiveKind.AllGather:
                Gather(step, writes[0]);
                break;
            case CollectiveKind.ReduceScatter:
                Reduce(rank.Index * writes[0].Elements, writes[0], scratch);
                break;
            case CollectiveKind.AllReduce when operation.Norm is { } norm:
                ReduceAndNormalise(step, norm, reads[1..], writes, scratch);
                break;
            default:
                Reduce(0, writes[0], scratch);
                break;
        }
        // What this rank has given may be overwritten once all have read it.
        return step.Rendezvous.Meet(bound.Index);
    }

    /// <summary>What a matmul in the same kernel gives. It has no tensor of its own, and is rounded as one of the sum's format would be.</summary>
    public static unsafe Operand Message(Rank of, CollectiveOperation operation, ReadOnlySpan<Operand> writes) =>
        new(writes[0].Tensor, of.Partial.Start, operation.Bytes);

    /// <summary>Puts the parts beside each other: shares of the tokens one after the other, shares of a row's columns within each row.</summary>
    private unsafe void Gather(Step step, Operand output)
    {
        var bytes = _parts[0].Bytes;
        var rows = RowsOf(step, output.Tensor.Name, _parts[0]);
        var width = bytes / rows;
        var whole = output.At(0, output.Elements);
        if (rows * width * _parts.Count > output.Bytes)
            throw new InvalidOperationException($"'{output.Tensor.Name}' has {output.Bytes} bytes, and {_parts.Count} parts of {bytes} are gathered");
        for (var row = 0L; row < rows; row++)
        {
            for (var part = 0; part < _parts.Count; part++)
                Buffer.MemoryCopy(_parts[part].Start + (row * width), whole + (((row * _parts.Count) + part) * width), width, width);
        }
    }

    /// <summary>Rows whose columns the ranks share: of the logits, and of stored activations. All else is shared by tokens, a row for all.</summary>
    private static long RowsOf(Step step, string gathered, Operand part) => BatchNames.Without(gathered) switch
    {
        "logits" => step.Plan.Step.Batch,
        var name when name == "x_whole" || name.EndsWith("/x_whole", StringComparison.Ordinal) => part.Elements * step.Ranks.Length / step.Model.Hidden,
        _ => 1,
    };

    /// <summary>Sums elements of all parts, in the order of the ranks.</summary>
    private void Sum(long first, Span<float> sum, Span<float> term)
    {
        _parts[0].Load(first, sum);
        for (var part = 1; part < _parts.Count; part++)
            _parts[part].AddTo(first, sum, term);
    }

    private void Reduce(long first, Operand output, Scratch scratch)
    {
        var sum = scratch.Take(0, output.Elements);
        Sum(first, sum, scratch.Take(1, output.Elements));
        output.Store(0, sum);
    }

    /// <summary>Sums, adds the residual stream and biases, and normalises, row by row.</summary>
    private void ReduceAndNormalise(Step step, FusedNorm norm, ReadOnlySpan<Operand> reads, ReadOnlySpan<Operand> writes, Scratch scratch)
    {
        var sum = scratch.Take(0, norm.Width);
        var term = scratch.Take(1, norm.Width);
        var weight = scratch.Take(2, reads[^1].Elements);
        reads[^1].Load(0, weight);
        for (var row = 0; row < norm.Rows; row++)
        {
            Sum((long)row * norm.Width, sum, term);
            writes[0].Round(sum);
            if (norm.Adds)
            {
                foreach (var read in reads[..^1])
                    OperatorKernel.AddTo(sum, term, read, row);
                writes[0].Round(sum);
            }
            if (writes.Length > 1)
                writes[0].Store((long)row * norm.Width, sum);
            Normalisation.Run(norm.Norm, sum, weight, step.Constants.NormEpsilon);
            writes[^1].Store((long)row * norm.Width, sum);
        }
    }
}
