using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>Computes the instructions of one stream of one rank. Every value is rounded to its tensor's format where a plan has a tensor for it, so that
/// kernels that are fused, recomputed or divided otherwise give the same bits.</summary>
internal sealed class OperatorKernel(Rank rank)
{
    private readonly Scratch _scratch = new();
    private readonly CollectiveKernel _collectives = new(rank);
    private readonly List<CacheView> _pieces = [];
    private readonly List<Operand> _prefetched = [];
    private readonly List<Operand> _matrices = [];
    private readonly List<Operand> _biases = [];
    private readonly Dictionary<(int HeadSize, double Base), Rotation> _rotations = [];

    /// <summary>The sum of the bytes that its prefetches read, one of each line: all that they leave.</summary>
    public long PrefetchedSum { get; private set; }

    /// <summary>Runs an instruction.</summary>
    /// <returns>False if the step was stopped meanwhile.</returns>
    public bool Run(Step step, BoundInstruction bound)
    {
        var instruction = bound.Instruction;
        var reads = rank.Operands(bound.FirstOperand, instruction.Reads.Count);
        var writes = rank.Operands(bound.FirstOperand + instruction.Reads.Count, instruction.Writes.Count);
        switch (instruction.Operation)
        {
            case EmbedOperation o:
                Embed(step, o, reads[0], writes[0]);
                break;
            case MatMulOperation o:
                Multiply(step, o, reads, writes[0]);
                break;
            case AttentionOperation o:
                Attend(step, o, bound, reads, writes[0]);
                break;
            case RecomputeOperation o:
                Recompute(step, o, bound, reads, writes[0]);
                break;
            case NormOperation o:
                Normalise(step, o, bound, reads, writes[0]);
                break;
            case ElementwiseOperation o:
                Compute(step, o, bound, reads, writes[0]);
                break;
            case CollectiveOperation o:
                return Exchange(step, o, bound, reads, writes);
            case PrefetchOperation:
                Prefetch(step, bound, reads);
                break;
            case TransferOperation:
                Transfer.Copy(reads, writes);
                break;
            case JoinOperation:
                break;
            default:
                throw new NotSupportedException($"'{instruction.Label}' is {instruction.Operation.GetType().Name}, which is not computed here");
        }
        return true;
    }

    /// <summary>Looks up the tokens that this rank has; of the others, a summand of zero.</summary>
    private void Embed(Step step, EmbedOperation operation, Operand table, Operand output)
    {
        var batch = BatchOf(output);
        var tokens = step.Tokens.AsSpan(batch * operation.Rows, operation.Rows);
        var part = (int)(table.Elements / operation.Width);
        var row = _scratch.Take(0, operation.Width);
        for (var i = 0; i < tokens.Length; i++)
        {
            var own = tokens[i] - (rank.Index * part);
            if (own >= 0 && own < part)
                table.Load((long)own * operation.Width, row);
            else
                row.Clear();
            output.Store((long)i * operation.Width, row);
        }
    }

    private void Multiply(Step step, MatMulOperation operation, ReadOnlySpan<Operand> reads, Operand output)
    {
        Sort(reads[1..]);
        MatMul.Run(reads[0], operation.Rows, Span(_matrices), Span(_biases), output, _scratch, step.Threads, rank.Progress);
    }

    /// <summary>Tells matrices from biases. A matrix that comes from the host may lie in two buffers.</summary>
    private void Sort(ReadOnlySpan<Operand> weights)
    {
        _matrices.Clear();
        _biases.Clear();
        foreach (var weight in weights)
            (weight.Tensor.Name.EndsWith("_bias", StringComparison.Ordinal) ? _biases : _matrices).Add(weight);
    }

    private void Attend(Step step, AttentionOperation operation, BoundInstruction bound, ReadOnlySpan<Operand> reads, Operand output)
    {
        var width = 2 * operation.KeyValueHeads * operation.HeadSize;
        var table = TableOf(reads);
        _pieces.Clear();
        for (var i = 1; i < reads.Length; i++)
        {
            if (reads[i].Tensor.Role == TensorRole.BlockTable)
                continue;
            _pieces.Add(View(reads[i], bound.Instruction.Reads[i], table, operation.Sequences, width));
        }
        var scale = step.Constants.ScoreFactor ?? (1 / MathF.Sqrt(operation.HeadSize));
        Attention.Run(operation, reads[0], Span(_pieces), output, LayerOf(step, bound).HeadedAttention().Window, scale, step.Constants.AttentionSoftCap, _scratch);
    }

    /// <summary>Reads what is prefetched; of a cache in blocks, which is there as a whole, the tokens that are meant.</summary>
    private void Prefetch(Step step, BoundInstruction bound, ReadOnlySpan<Operand> reads)
    {
        var table = TableOf(reads);
        var sequences = step.Plan.Step.Batch;
        _prefetched.Clear();
        for (var i = 0; i < reads.Length; i++)
        {
            if (reads[i].Tensor.BlockUnits == 0)
                _prefetched.Add(reads[i]);
            else
                _prefetched.AddRange(View(reads[i], bound.Instruction.Reads[i], table, sequences, (int)(reads[i].Tensor.UnitBytes / reads[i].ElementBytes / sequences)).Pieces());
        }
        PrefetchedSum += CacheLines.Touch(Span(_prefetched));
    }

    private CacheView View(Operand data, TensorReference reference, Operand? table, int sequences, int width)
    {
        if (data.Tensor.BlockUnits == 0)
            return new CacheView(data, sequences, width);
        return table is { } blocks
            ? new CacheView(data, blocks, sequences, width, rank.Memory.FirstAttended(data.Tensor), rank.Memory.Tokens(reference))
            : throw new InvalidOperationException($"'{data.Tensor.Name}' lies in blocks, and their table is not read");
    }

    private static Operand? TableOf(ReadOnlySpan<Operand> reads)
    {
        foreach (var read in reads)
        {
            if (read.Tensor.Role == TensorRole.BlockTable)
                return read;
        }
        return null;
    }

    /// <summary>Makes keys and values again as they were made: rounded where the projection, the norm and the rotation were.</summary>
    private void Recompute(Step step, RecomputeOperation operation, BoundInstruction bound, ReadOnlySpan<Operand> reads, Operand output)
    {
        var weights = reads[1..];
        var norm = operation.Normalises ? weights[^1] : (Operand?)null;
        Sort(operation.Normalises ? weights[..^1] : weights);
        var rows = checked((int)(output.Elements / operation.Columns));
        if (rows == 0)
            return;
        // The projection's result is a value of bf16 in a plan that keeps it.
        MatMul.Run(reads[0], rows, Span(_matrices), Span(_biases), output, _scratch, step.Threads, rank.Progress);
        var half = operation.Columns / 2;
        var row = _scratch.Take(0, operation.Columns);
        var weight = _scratch.Take(1, operation.HeadSize);
        norm?.Load(0, weight);
        var rotation = operation.Rotates ? RotationOf(step, LayerOf(step, bound).HeadedAttention()) : null;
        for (var i = 0; i < rows; i++)
        {
            output.Load((long)i * operation.Columns, row);
            Bfloat16.Round(row);
            var keys = row[..half];
            if (norm is not null)
            {
                for (var head = 0; head < half; head += operation.HeadSize)
                    Normalisation.Run(Norm.Rms, keys.Slice(head, operation.HeadSize), weight, step.Constants.NormEpsilon);
                Bfloat16.Round(keys);
            }
            if (rotation is not null)
            {
                // Token by token, all sequences beside each other: from position 0 on.
                rotation.Run(keys, i / operation.Sequences);
                Bfloat16.Round(keys);
            }
            output.Store((long)i * operation.Columns, row);
        }
    }

    private void Normalise(Step step, NormOperation operation, BoundInstruction bound, ReadOnlySpan<Operand> reads, Operand output)
    {
        if (reads[^1].Tensor.Name.EndsWith("k_norm_weight", StringComparison.Ordinal))
        {
            NormaliseHeads(step, operation, KeyHeads(step, LayerOf(step, bound).HeadedAttention()), reads, output);
            return;
        }
        var row = _scratch.Take(0, operation.Width);
        var weight = _scratch.Take(1, reads[^1].Elements);
        reads[^1].Load(0, weight);
        var given = reads[0].Elements / operation.Width;
        for (var i = 0; i < operation.Rows; i++)
        {
            // The last norm of a prefill takes the last token of each sequence.
            var from = given == operation.Rows ? i : ((i + 1) * (given / operation.Rows)) - 1;
            reads[0].Load(from * operation.Width, row);
            Normalisation.Run(operation.Norm, row, weight, step.Constants.NormEpsilon);
            output.Store((long)i * operation.Width, row);
        }
    }

    /// <summary>Normalises each head of queries and keys, which come in one tensor or in two.</summary>
    private void NormaliseHeads(Step step, NormOperation operation, int keys, ReadOnlySpan<Operand> reads, Operand output)
    {
        var size = operation.Width;
        var rows = step.Plan.Step.Batch * step.Plan.Step.NewTokens;
        var heads = operation.Rows / rows;
        var row = _scratch.Take(0, (long)heads * size);
        var query = _scratch.Take(1, size);
        var key = _scratch.Take(2, size);
        reads[^2].Load(0, query);
        reads[^1].Load(0, key);
        for (var i = 0; i < rows; i++)
        {
            LoadQueriesAndKeys(reads[..^2], i, rows, keys * size, row);
            for (var head = 0; head < heads; head++)
                Normalisation.Run(operation.Norm, row.Slice(head * size, size), head < heads - keys ? query : key, step.Constants.NormEpsilon);
            output.Store((long)i * row.Length, row);
        }
    }

    /// <summary>Queries and keys of a row, beside each other.</summary>
    private static void LoadQueriesAndKeys(ReadOnlySpan<Operand> from, int row, int rows, int keyWidth, Span<float> into)
    {
        if (from.Length == 1)
        {
            from[0].Load(from[0].Elements / rows * row, into);
            return;
        }
        from[0].Load((long)(into.Length - keyWidth) * row, into[..^keyWidth]);
        from[1].Load((long)keyWidth * row, into[^keyWidth..]);
    }

    private void Compute(Step step, ElementwiseOperation operation, BoundInstruction bound, ReadOnlySpan<Operand> reads, Operand output)
    {
        switch (operation.Function)
        {
            case ElementwiseFunction.Add:
                Add(operation.Rows, operation.Width, reads, output);
                break;
            case ElementwiseFunction.Position:
                AddPositions(step, operation, reads, output);
                break;
            case ElementwiseFunction.Rotary:
                Rotate(step, operation, LayerOf(step, bound).HeadedAttention(), reads, output);
                break;
            case ElementwiseFunction.Store when output.Tensor.Name is var name && BatchNames.Without(name).EndsWith("x_new", StringComparison.Ordinal):
                StoreActivations(step, operation, reads[0], output);
                break;
            case ElementwiseFunction.Store:
                StoreKeyValues(step, operation, bound, reads, output);
                break;
            default:
                Each(step, operation, reads, output);
                break;
        }
    }

    /// <summary>Adds values, then biases, each row from left to right.</summary>
    private void Add(int rows, int width, ReadOnlySpan<Operand> reads, Operand output)
    {
        var sum = _scratch.Take(0, width);
        var term = _scratch.Take(1, width);
        for (var i = 0; i < rows; i++)
        {
            reads[0].Load((long)i * width, sum);
            foreach (var read in reads[1..])
                AddTo(sum, term, read, i);
            output.Store((long)i * width, sum);
        }
    }

    /// <summary>Adds a row of a value, or a bias.</summary>
    public static void AddTo(Span<float> sum, Span<float> term, Operand read, int row) =>
        read.AddTo(read.Tensor.Role == TensorRole.Weight ? 0 : (long)row * sum.Length, sum, term);

    private void AddPositions(Step step, ElementwiseOperation operation, ReadOnlySpan<Operand> reads, Operand output)
    {
        var sum = _scratch.Take(0, operation.Width);
        var term = _scratch.Take(1, operation.Width);
        // Ranks that share the tokens have neighbouring ones.
        var all = step.Plan.Step.Batch * step.Plan.Step.NewTokens;
        var first = operation.Rows == all ? 0 : rank.Index * operation.Rows;
        for (var i = 0; i < operation.Rows; i++)
        {
            reads[0].Load((long)i * operation.Width, sum);
            reads[1].AddTo((long)(step.Model.PositionOffset + PositionOf(step, first + i)) * operation.Width, sum, term);
            output.Store((long)i * operation.Width, sum);
        }
    }

    private void Rotate(Step step, ElementwiseOperation operation, MultiHeadAttentionSpec attention, ReadOnlySpan<Operand> reads, Operand output)
    {
        var row = _scratch.Take(0, operation.Width);
        var keyWidth = KeyHeads(step, attention) * attention.HeadSize;
        var rotation = RotationOf(step, attention);
        for (var i = 0; i < operation.Rows; i++)
        {
            LoadQueriesAndKeys(reads, i, operation.Rows, keyWidth, row);
            rotation.Run(row, PositionOf(step, i));
            output.Store((long)i * operation.Width, row);
        }
    }

    /// <summary>Stores keys and values token by token, as caches hold them. Keys are the last that their tensor's rows hold, unless values follow there.</summary>
    private void StoreKeyValues(Step step, ElementwiseOperation operation, BoundInstruction bound, ReadOnlySpan<Operand> reads, Operand output)
    {
        var table = TableOf(reads);
        if (table is not null)
            reads = reads[..^1];
        var width = operation.Width;
        var half = width / 2;
        var entry = _scratch.Take(0, width);
        var (batch, tokens) = (step.Plan.Step.Batch, step.Plan.Step.NewTokens);
        var view = View(output, bound.Instruction.Writes[0], table, batch, width);
        var (keys, values) = (reads[0], reads[^1]);
        var keyStride = keys.Elements / operation.Rows;
        var valueStride = values.Elements / operation.Rows;
        var keyOffset = keyStride - (reads.Length == 1 ? width : half);
        for (var row = 0; row < operation.Rows; row++)
        {
            keys.Load((row * keyStride) + keyOffset, entry[..half]);
            values.Load((row * valueStride) + valueStride - half, entry[half..]);
            output.Store(view.At(row / tokens, row % tokens), entry);
        }
    }

    /// <summary>Lays the activations of the first tokens out token by token; ranks that share them each take their columns.</summary>
    private void StoreActivations(Step step, ElementwiseOperation operation, Operand input, Operand output)
    {
        var (batch, tokens) = (step.Plan.Step.Batch, step.Plan.Step.NewTokens);
        var hidden = input.Elements / ((long)batch * tokens);
        var offset = operation.Width == hidden ? 0 : (long)rank.Index * operation.Width;
        var row = _scratch.Take(0, operation.Width);
        for (var i = 0; i < operation.Rows; i++)
        {
            var (token, sequence) = (i / batch, i % batch);
            input.Load(((((long)sequence * tokens) + token) * hidden) + offset, row);
            output.Store((long)i * operation.Width, row);
        }
    }

    /// <summary>Computes each element on its own; of a gated activation from two, of which the gate stands first.</summary>
    private void Each(Step step, ElementwiseOperation operation, ReadOnlySpan<Operand> reads, Operand output)
    {
        var width = operation.Width;
        var gated = operation.Function is ElementwiseFunction.SwiGlu or ElementwiseFunction.GeGlu;
        var both = gated && reads.Length == 1;
        var stride = both ? 2L * width : width;
        var row = _scratch.Take(0, width);
        var other = _scratch.Take(1, width);
        for (var i = 0; i < operation.Rows; i++)
        {
            reads[0].Load(i * stride, row);
            switch (operation.Function)
            {
                case ElementwiseFunction.SwiGlu:
                    Activations.Silu(row, other);
                    break;
                case ElementwiseFunction.GeGlu or ElementwiseFunction.Gelu:
                    Activations.Gelu(row, other);
                    break;
                case ElementwiseFunction.Relu:
                    Activations.Relu(row);
                    break;
                case ElementwiseFunction.Scale:
                    TensorPrimitives.Multiply(row, step.Constants.EmbeddingFactor ?? MathF.Sqrt(width), row);
                    break;
                case ElementwiseFunction.SoftCap:
                    Activations.SoftCap(row, step.Constants.LogitSoftCap);
                    break;
                default:
                    throw new NotSupportedException($"{operation.Function} is not computed here");
            }
            if (gated)
            {
                reads[^1].Load((i * stride) + (both ? width : 0), other);
                TensorPrimitives.Multiply(row, other, row);
            }
            output.Store((long)i * width, row);
        }
    }

    private bool Exchange(Step step, CollectiveOperation operation, BoundInstruction bound, ReadOnlySpan<Operand> reads, ReadOnlySpan<Operand> writes)
    {
        if (operation.MatMul is { } matMul)
            Multiply(step, matMul, reads, CollectiveKernel.Message(rank, operation, writes));
        return _collectives.Run(step, operation, bound, reads, writes, _scratch);
    }

    private static LayerSpec LayerOf(Step step, BoundInstruction bound) =>
        step.Layers[bound.Instruction.Writes[0].Layer.Resolve(bound.Layer)];

    /// <summary>KV heads of one rank: at least one.</summary>
    private static int KeyHeads(Step step, MultiHeadAttentionSpec attention) => Math.Max(attention.KeyValueHeads / step.Ranks.Length, 1);

    private static int BatchOf(Operand output) => Math.Max(BatchNames.BatchOf(output.Tensor.Name), 0);

    /// <summary>Position of a row's token: the rows of a sequence stand together.</summary>
    private static int PositionOf(Step step, int row) => step.Context + (row % step.Plan.Step.NewTokens);

    private Rotation RotationOf(Step step, MultiHeadAttentionSpec attention)
    {
        var constants = step.Constants;
        var shape = (attention.HeadSize, Base: attention.Window > 0 ? constants.WindowRotaryBase ?? constants.RotaryBase : constants.RotaryBase);
        if (!_rotations.TryGetValue(shape, out var rotation))
            _rotations.Add(shape, rotation = new Rotation(shape.HeadSize, shape.Base));
        return rotation;
    }

    private static ReadOnlySpan<T> Span<T>(List<T> list) => CollectionsMarshal.AsSpan(list);
}
