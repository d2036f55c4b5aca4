namespace Preserve.Optimizer.Tests;

/// <summary>Counts the elements that each operation of an unrolled plan takes and makes, and compares them with those of its tensors. Knows the order
/// of nothing.</summary>
internal sealed class ShapeTrace(ExecutionPlan plan, IReadOnlyDictionary<string, TensorDeclaration> tensors, CopyTrace copies, int context)
{
    /// <summary>What is wrong with the shape of an operation, or null.</summary>
    public string? Harm(IEnumerable<Instruction> instructions)
    {
        var computing = instructions.Where(i => i.Operation is not (PrefetchOperation or TransferOperation)).ToList();
        if (computing.SelectMany(i => ActivationsOf(i.Operation)).Distinct().Count() > 1)
            return "activations in several formats";
        return computing.Select(i => HarmOf(i) is { } harm ? $"{i.Label}: {harm}" : null).FirstOrDefault(h => h is not null);
    }

    private static IEnumerable<Precision> ActivationsOf(Operation operation) => operation switch
    {
        MatMulOperation o => [o.Activations],
        RecomputeOperation o => [o.Activations],
        CollectiveOperation { MatMul: { } o } => [o.Activations],
        _ => [],
    };

    private string? HarmOf(Instruction instruction)
    {
        var sizes = instruction.Operation switch
        {
            EmbedOperation o => [Rows(o.Rows, Tokens), Made(instruction, (long)o.Rows * o.Width), Table(instruction, o.Width)],
            MatMulOperation o => [.. MatMul(instruction, o), Made(instruction, (long)o.Rows * o.Columns)],
            AttentionOperation o => Attention(instruction, o),
            NormOperation o => Norm(instruction, o),
            ElementwiseOperation o => Elementwise(instruction, o),
            CollectiveOperation o => Collective(instruction, o),
            RecomputeOperation o => Recompute(instruction, o),
            _ => [],
        };
        return sizes.FirstOrDefault(s => !s.Is).What;
    }

    private long Tokens => (long)plan.Step.Batch * plan.Step.NewTokens;

    private List<(bool Is, string? What)> MatMul(Instruction instruction, MatMulOperation o)
    {
        var weights = WeightsOf(instruction);
        return
        [
            (weights.Count is 1 or 2, "no matrix"),
            (weights.Count == 0 || (weights[0].Format == o.Weights && Bytes(weights[0]) == o.Weights.Bytes((long)o.Columns * o.Depth)), "another matrix"),
            (weights.Count < 2 || Bytes(weights[1]) == weights[1].Format.Bytes(o.Columns), "another bias"),
            (Given(instruction) == (long)o.Rows * o.Depth, "another input"),
        ];
    }

    private List<(bool Is, string? What)> Attention(Instruction instruction, AttentionOperation o)
    {
        var queries = Tokens * o.Heads * o.HeadSize;
        if (instruction.Reads.Select(copies.Of).FirstOrDefault(h => h is not null && tensors[h.Tensor].Role == TensorRole.KeyValues) is not { } entries)
            return [(false, "no cache")];
        var cache = tensors[entries.Tensor];
        var sequences = plan.Step.ContextIsTotal ? 1 : plan.Step.Batch;
        var tokens = cache.Units.At(context);
        // A token of a prompt sees itself and those before it, as many as the window holds.
        var pairs = plan.Step is DecodeSpec
            ? [tokens * sequences]
            : Enumerable.Range(1, (int)tokens).Select(window => sequences * Enumerable.Range(1, (int)tokens).Sum(token => (long)Math.Min(token, window)));
        return
        [
            (o.Sequences == plan.Step.Batch && o.NewTokens == plan.Step.NewTokens, "other tokens"),
            (o.KeyValueHeads > 0 && o.Heads % o.KeyValueHeads == 0, "heads without a share"),
            (o.KeyValues == cache.Format && cache.UnitBytes == sequences * 2 * cache.Format.CachedBytes(o.KeyValueHeads * o.HeadSize), "another cache"),
            (pairs.Contains(o.Pairs.At(context)), "other pairs"),
            (tensors[instruction.Reads[0].Tensor].Role != TensorRole.Value || Elements(instruction.Reads[0]) >= queries, "fewer queries"),
            Made(instruction, queries),
        ];
    }

    private List<(bool Is, string? What)> Norm(Instruction instruction, NormOperation o)
    {
        var (weights, taken) = (WeightsOf(instruction), (long)o.Rows * o.Width);
        // The last norm takes one token of each sequence, and that of the heads leaves the values out.
        var given = Given(instruction);
        return
        [
            (weights.All(w => Bytes(w) == w.Format.Bytes((o.Norm == Preserve.Norm.Layer ? 2L : 1) * o.Width)), "other weights"),
            (weights.Count == 2 ? given >= taken && o.Rows % Tokens == 0 : weights.Count == 1 && (given == taken || (o.Rows == plan.Step.Batch && given == Tokens * o.Width)), "another input"),
            Made(instruction, taken),
        ];
    }

    private List<(bool Is, string? What)> Elementwise(Instruction instruction, ElementwiseOperation o)
    {
        var (made, given) = ((long)o.Rows * o.Width, Given(instruction));
        return o.Function switch
        {
            ElementwiseFunction.Add => [RowsOrShare(o.Rows), .. Terms(instruction.Reads, o.Rows, o.Width), Made(instruction, made)],
            ElementwiseFunction.Scale => [RowsOrShare(o.Rows), (given == made, "another input"), Made(instruction, made)],
            ElementwiseFunction.Position => [RowsOrShare(o.Rows), Table(instruction, o.Width), (given == made, "another input"), Made(instruction, made)],
            ElementwiseFunction.SwiGlu or ElementwiseFunction.GeGlu => [Rows(o.Rows, Tokens), (given == 2 * made, "another input"), Made(instruction, made)],
            ElementwiseFunction.Gelu or ElementwiseFunction.Relu => [Rows(o.Rows, Tokens), (given == made, "another input"), Made(instruction, made)],
            ElementwiseFunction.SoftCap => [Rows(o.Rows, plan.Step.Batch), (given == made, "another input"), Made(instruction, made)],
            ElementwiseFunction.Rotary => [Rows(o.Rows, Tokens), (given >= made, "another input"), Made(instruction, made)],
            _ => [(given >= made, "another input"), .. instruction.Writes.Select(w => (IsStored(w, o), (string?)"another place to store at"))],
        };
    }

    private bool IsStored(TensorReference place, ElementwiseOperation store)
    {
        var tensor = tensors[place.Tensor];
        var bytes = (place.Range?.Length ?? tensor.Units).At(context) * tensor.UnitBytes;
        var asKeysAndValues = store.Rows == Tokens && store.Width % 2 == 0 && bytes == store.Rows * 2L * tensor.Format.CachedBytes(store.Width / 2);
        var asActivations = tensor.Role != TensorRole.KeyValues && store.Rows <= Tokens && store.Rows % plan.Step.Batch == 0 && bytes == store.Rows * tensor.Format.CachedBytes(store.Width);
        return asKeysAndValues || asActivations;
    }

    private List<(bool Is, string? What)> Collective(Instruction instruction, CollectiveOperation o)
    {
        var message = o.MatMul is { } matMul ? 2L * matMul.Rows * matMul.Columns : instruction.Reads.Take(1).Sum(r => Bytes(tensors[r.Tensor]));
        var result = o.Kind switch { CollectiveKind.AllGather => message * plan.Ranks, CollectiveKind.ReduceScatter => message / plan.Ranks, _ => message };
        List<(bool Is, string? What)> sizes =
        [
            (o.Ranks == plan.Ranks, "other ranks"),
            (instruction.Reads.Count > 0 && instruction.Writes.Count > 0 && (o.IsFused || instruction.Reads.Count + instruction.Writes.Count == 2), "not one message"),
            (o.Bytes == message, "another message"),
            (instruction.Writes.All(w => Bytes(tensors[w.Tensor]) == result), "another result"),
        ];
        if (o.MatMul is not null)
            sizes.AddRange(MatMul(instruction, o.MatMul));
        if (o.Norm is { } norm)
        {
            var terms = instruction.Reads.SkipLast(1).ToList();
            var weight = tensors[instruction.Reads[^1].Tensor];
            sizes.Add((norm.Adds == terms.Count > 1 && terms.Count > 0, "another addition"));
            sizes.AddRange(Terms(terms, norm.Rows, norm.Width));
            sizes.Add((weight.Role == TensorRole.Weight && Bytes(weight) == weight.Format.Bytes((norm.Norm == Preserve.Norm.Layer ? 2L : 1) * norm.Width), "other weights"));
        }
        return sizes;
    }

    /// <summary>What the projection is that is done again, with which numbers.</summary>
    private List<(bool Is, string? What)> Recompute(Instruction instruction, RecomputeOperation o)
    {
        var matrix = WeightsOf(instruction).FirstOrDefault(w => w.Name.EndsWith("qkv_weight", StringComparison.Ordinal) || w.Name.EndsWith("k_weight", StringComparison.Ordinal));
        return [(matrix is null || matrix.Format == o.Weights, "weights in another format")];
    }

    private IEnumerable<(bool Is, string? What)> Terms(IEnumerable<TensorReference> terms, int rows, int width) => terms.Select(t =>
        (tensors[t.Tensor].Role == TensorRole.Weight ? Bytes(tensors[t.Tensor]) == 2L * width : Elements(t) == (long)rows * width, (string?)"another term"));

    private static (bool Is, string? What) Rows(int rows, long expected) => (rows == expected, "other rows");

    private (bool Is, string? What) RowsOrShare(int rows) => (rows == Tokens || (long)rows * plan.Ranks == Tokens, "other rows");

    private (bool Is, string? What) Made(Instruction instruction, long elements) => (instruction.Writes.Sum(Elements) == elements, "another result");

    /// <summary>Some number of whole rows is the table.</summary>
    private (bool Is, string? What) Table(Instruction instruction, int width) =>
        (WeightsOf(instruction) is [var table] && Enumerable.Range(0, 1000).Any(rows => table.Format.Bytes((long)rows * width) == Bytes(table)), "another table");

    private long Given(Instruction instruction) => instruction.Reads.Where(r => tensors[r.Tensor].Role == TensorRole.Value && !IsWeight(r)).Sum(Elements);

    private bool IsWeight(TensorReference read) => copies.Of(read) is { } held && tensors[held.Tensor].Role == TensorRole.Weight;

    /// <summary>The weights that an instruction reads, from copies or where they lie, each once.</summary>
    private List<TensorDeclaration> WeightsOf(Instruction instruction) =>
        instruction.Reads.Where(IsWeight).Select(r => tensors[copies.Of(r)!.Tensor]).Distinct().ToList();

    private long Bytes(TensorDeclaration tensor) => tensor.Bytes.At(context);

    private long Elements(TensorReference reference) => Bytes(tensors[reference.Tensor]) * 8 / tensors[reference.Tensor].Format.Bits();
}
