using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Whether the shape of each operation is that of what it reads and writes: a device's time and its kernels both follow the shape.</summary>
/// <remarks>A shape that the bytes of tensors do not tell is not seen: how a row is cut into heads of one size or another, which function of as many
/// elements an element-wise operation is, whether scores pass through a soft cap, which window the layer of a prefill has, and in which
/// one format all matmuls take their activations.</remarks>
/// <param name="plan">The plan.</param>
/// <param name="tensors">Its declared tensors, by name.</param>
/// <param name="context">The context.</param>
internal sealed class OperationShapes(ExecutionPlan plan, IReadOnlyDictionary<string, TensorDeclaration> tensors, int context)
{
    private readonly long _sequences = plan.Step.Batch;
    private readonly long _tokens = (long)plan.Step.Batch * plan.Step.NewTokens;

    /// <summary>The format in which matmuls take activations.</summary>
    private Precision? _activations;

    /// <summary>What is wrong with an instruction's operation, or null.</summary>
    /// <param name="instruction">An instruction whose references are sound, with weights that come from the host in place of their copies.</param>
    public string? Fault(Instruction instruction) => instruction.Operation switch
    {
        EmbedOperation o => OfTokens(o.Rows) ?? Table(instruction, o.Width) ?? Makes(instruction, (long)o.Rows * o.Width),
        MatMulOperation o => Multiplies(instruction, o) ?? Makes(instruction, (long)o.Rows * o.Columns),
        AttentionOperation o => Attends(instruction, o),
        NormOperation o => Normalises(instruction, o),
        ElementwiseOperation o => Computes(instruction, o) ?? (o.Function == ElementwiseFunction.Store ? null : Makes(instruction, (long)o.Rows * o.Width)),
        RecomputeOperation o => Takes(o.Activations),
        CollectiveOperation o => CollectiveSizes.Fault(o, instruction, tensors, plan.Ranks, context)
            ?? (o.MatMul is { } matMul ? Multiplies(instruction, matMul) : null) ?? (o.Norm is { } norm ? NormalisesSum(instruction, norm) : null),
        _ => null,
    };

    private string? Multiplies(Instruction instruction, MatMulOperation matMul)
    {
        var weights = 0;
        foreach (var read in instruction.Reads)
        {
            if (tensors[read.Tensor] is not { Role: TensorRole.Weight } weight)
                continue;
            weights++;
            // The matrix, and behind it the bias.
            if (weights == 1 && weight.Format != matMul.Weights)
                return $"multiplies with a weight in {matMul.Weights}, and '{weight.Name}' is in {weight.Format}";
            if (Holds(weight, weights == 1 ? (long)matMul.Columns * matMul.Depth : matMul.Columns) is { } size)
                return size;
        }
        return weights is 1 or 2
            ? Takes(matMul.Activations) ?? IsGiven(instruction, (long)matMul.Rows * matMul.Depth)
            : $"reads {weights} weights, and not a matrix and at most a bias";
    }

    /// <summary>A deployment has one format of activations.</summary>
    private string? Takes(Precision activations) =>
        (_activations ??= activations) == activations ? null : $"takes activations in {activations}, and a matmul above in {_activations}";

    private string? Attends(Instruction instruction, AttentionOperation attention)
    {
        if (attention.Sequences != plan.Step.Batch || attention.NewTokens != plan.Step.NewTokens)
            return $"attends from {attention.Sequences} x {attention.NewTokens} tokens, and the step has {plan.Step.Batch} x {plan.Step.NewTokens}";
        if (attention.KeyValueHeads < 1 || attention.Heads % attention.KeyValueHeads != 0)
            return $"attends with {attention.Heads} query heads to {attention.KeyValueHeads} KV heads";
        var queries = checked(_tokens * attention.Heads * attention.HeadSize);
        // The queries come first, in one value with keys and values or alone.
        if (instruction.Reads.Count > 0 && tensors[instruction.Reads[0].Tensor] is { Role: TensorRole.Value } given && ElementsOf(given) < queries)
            return $"takes {queries} elements of queries, and '{given.Name}' has {ElementsOf(given)}";
        return Makes(instruction, queries) ?? (CacheOf(instruction) is { } cache ? AttendsTo(cache, attention) : null);
    }

    /// <summary>The cache that an attention reads, itself or by way of copies; null where it reads none.</summary>
    private TensorDeclaration? CacheOf(Instruction attention)
    {
        foreach (var read in attention.Reads)
        {
            if (tensors[read.Tensor] is { Role: TensorRole.KeyValues } cache)
                return cache;
        }
        var value = attention.Writes.Count > 0 ? attention.Writes[0].Tensor : "";
        return tensors.TryGetValue(PlanStructure.KindOf(value) + "kv" + BatchNames.SuffixOf(value), out var own) ? own : null;
    }

    private string? AttendsTo(TensorDeclaration cache, AttentionOperation attention)
    {
        if (cache.Format != attention.KeyValues)
            return $"takes keys and values in {attention.KeyValues}, and '{cache.Name}' is in {cache.Format}";
        // A unit is a token of every sequence, or of its own where the context is a total.
        var each = plan.Step.ContextIsTotal ? 1 : _sequences;
        var unit = checked(each * 2 * cache.Format.CachedBytes((long)attention.KeyValueHeads * attention.HeadSize));
        if (unit != cache.UnitBytes)
            return $"takes {unit} bytes of a token's keys and values, and '{cache.Name}' has {cache.UnitBytes}";
        var (pairs, attended) = (attention.Pairs.At(context), cache.Units.At(context));
        if (plan.Step is DecodeSpec ? pairs == attended * each : IsCausal(pairs, attended))
            return null;
        return $"takes {pairs} query-key pairs, which {attended} attended tokens of {_sequences} sequences do not make";
    }

    /// <summary>Whether a prompt makes so many pairs under some window: in one of w of T tokens, w (w + 1) / 2 + (T - w) w of each sequence.</summary>
    private bool IsCausal(long pairs, long tokens)
    {
        var (least, most) = (1L, tokens);
        while (least < most)
        {
            var middle = (least + most) / 2;
            (least, most) = _sequences * Pairs(middle) < pairs ? (middle + 1, most) : (least, middle);
        }
        return _sequences * Pairs(least) == pairs;

        long Pairs(long window) => (window * (window + 1) / 2) + ((tokens - window) * window);
    }

    private string? Normalises(Instruction instruction, NormOperation norm)
    {
        var weights = 0;
        foreach (var read in instruction.Reads)
        {
            if (tensors[read.Tensor] is not { Role: TensorRole.Weight } weight)
                continue;
            weights++;
            if (Holds(weight, norm.Norm.ParameterCount(norm.Width)) is { } size)
                return size;
        }
        var (given, taken) = (Given(instruction), (long)norm.Rows * norm.Width);
        var isTaken = weights switch
        {
            // The last norm of a prefill takes the last token of each sequence.
            1 => given == taken || (norm.Rows == _sequences && given == taken * plan.Step.NewTokens),
            // Heads of queries and keys, each with a norm of its own, may stand in one value with the values.
            2 => given >= taken && norm.Rows % _tokens == 0,
            _ => false,
        };
        return isTaken ? Makes(instruction, taken) : $"normalises {norm.Rows} x {norm.Width} elements with {weights} weights, and is given {given}";
    }

    /// <summary>The norm of a collective's sum, or of the sum of that with what else is read.</summary>
    private string? NormalisesSum(Instruction instruction, FusedNorm norm)
    {
        var last = instruction.Reads.Count - 1;
        if (last < 1 || norm.Adds != last > 1 || tensors[instruction.Reads[last].Tensor] is not { Role: TensorRole.Weight } weight)
            return $"normalises a sum {(norm.Adds ? "with" : "without")} an addition, and reads {instruction.Reads.Count} tensors";
        for (var term = 0; term < last; term++)
        {
            if (Adds(instruction.Reads[term], norm.Rows, norm.Width) is { } size)
                return size;
        }
        return Holds(weight, norm.Norm.ParameterCount(norm.Width));
    }

    private string? Computes(Instruction instruction, ElementwiseOperation operation)
    {
        var made = (long)operation.Rows * operation.Width;
        switch (operation.Function)
        {
            case ElementwiseFunction.Add:
                foreach (var read in instruction.Reads)
                {
                    if (Adds(read, operation.Rows, operation.Width) is { } size)
                        return size;
                }
                return OfTokensOrShare(operation.Rows);
            case ElementwiseFunction.Scale:
                return OfTokensOrShare(operation.Rows) ?? IsGiven(instruction, made);
            case ElementwiseFunction.Position:
                return OfTokensOrShare(operation.Rows) ?? Table(instruction, operation.Width) ?? IsGiven(instruction, made);
            case ElementwiseFunction.SwiGlu or ElementwiseFunction.GeGlu:
                return OfTokens(operation.Rows) ?? IsGiven(instruction, 2 * made);
            case ElementwiseFunction.Gelu or ElementwiseFunction.Relu:
                return OfTokens(operation.Rows) ?? IsGiven(instruction, made);
            case ElementwiseFunction.SoftCap:
                return OfRows(operation.Rows, _sequences) ?? IsGiven(instruction, made);
            case ElementwiseFunction.Rotary:
                return OfTokens(operation.Rows) ?? IsGivenAtLeast(instruction, made);
            default:
                return Stores(instruction, operation) ?? IsGivenAtLeast(instruction, made);
        }
    }

    /// <summary>Keys and values of the new tokens, or activations of some of a prompt's, in the format of where they go.</summary>
    private string? Stores(Instruction instruction, ElementwiseOperation store)
    {
        foreach (var write in instruction.Writes)
        {
            var tensor = tensors[write.Tensor];
            var bytes = BytesOf(write, tensor);
            // The groups of a format with scales reach over neither keys and values nor tokens.
            var isCache = store.Rows == _tokens && bytes == store.Rows * 2 * tensor.Format.CachedBytes(store.Width / 2) && store.Width % 2 == 0;
            var isPart = tensor.Role != TensorRole.KeyValues && store.Rows <= _tokens && store.Rows % _sequences == 0;
            if (!isCache && !(isPart && bytes == store.Rows * tensor.Format.CachedBytes(store.Width)))
                return $"stores {store.Rows} x {store.Width} elements, and '{write.Tensor}' takes {bytes} bytes in {tensor.Format} of {_tokens} tokens";
        }
        return null;
    }

    private string? OfTokens(int rows) => OfRows(rows, _tokens);

    /// <summary>With sequence parallelism a rank has its share of the tokens.</summary>
    private string? OfTokensOrShare(int rows) => (long)rows * plan.Ranks == _tokens ? null : OfTokens(rows);

    private static string? OfRows(int rows, long expected) => rows == expected ? null : $"has {rows} rows, and the step {expected}";

    private string? Adds(TensorReference term, int rows, int width)
    {
        var tensor = tensors[term.Tensor];
        if (tensor.Role == TensorRole.Weight)
            return Holds(tensor, width);
        var elements = (long)rows * width;
        return ElementsOf(tensor) == elements ? null : $"adds {elements} elements, and '{tensor.Name}' has {ElementsOf(tensor)}";
    }

    private string? Holds(TensorDeclaration weight, long elements)
    {
        var (wanted, bytes) = (weight.Format.Bytes(elements), weight.Bytes.At(context));
        return wanted == bytes ? null : $"reads {wanted} bytes of weights, and '{weight.Name}' has {bytes}";
    }

    /// <summary>A table has whole rows.</summary>
    private string? Table(Instruction instruction, int width)
    {
        foreach (var read in instruction.Reads)
        {
            if (tensors[read.Tensor] is not { Role: TensorRole.Weight } table)
                continue;
            var bytes = table.Bytes.At(context);
            var rows = width > 0 ? bytes * 8 / ((long)width * table.Format.Bits()) : 0;
            return table.Format.Bytes(rows * width) == bytes ? null : $"looks up rows of {width} elements, and '{table.Name}' has {bytes} bytes";
        }
        return "looks up rows of no table";
    }

    private string? Makes(Instruction instruction, long elements)
    {
        long written = 0;
        foreach (var write in instruction.Writes)
            written += ElementsOf(tensors[write.Tensor]);
        return written == elements ? null : $"makes {elements} elements, and what it writes has {written}";
    }

    private string? IsGiven(Instruction instruction, long elements) =>
        Given(instruction) is var given && given == elements ? null : $"takes {elements} elements, and is given {given}";

    private string? IsGivenAtLeast(Instruction instruction, long elements) =>
        Given(instruction) is var given && given >= elements ? null : $"takes {elements} elements, and is given {given}";

    private long Given(Instruction instruction)
    {
        long given = 0;
        foreach (var read in instruction.Reads)
        {
            if (tensors[read.Tensor] is { Role: TensorRole.Value } value)
                given += ElementsOf(value);
        }
        return given;
    }

    private long ElementsOf(TensorDeclaration tensor) => tensor.Bytes.At(context) * 8 / tensor.Format.Bits();

    private long BytesOf(TensorReference reference, TensorDeclaration tensor) => (reference.Range?.Length ?? tensor.Units).At(context) * tensor.UnitBytes;
}
