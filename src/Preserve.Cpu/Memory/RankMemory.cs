using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>The memory of one rank: the arena of a plan's values, the weights, and what stays between steps, the caches and the stored
/// activations, on device and host alike.</summary>
/// <remarks>A cache has a place for every token of the longest context so far. What a plan names, the window's tokens, is a view that slides over it.</remarks>
internal sealed unsafe class RankMemory(RankShard shard) : IDisposable
{
    private readonly Dictionary<(string Tensor, int Layer, Precision Format, long Bytes), NativeBuffer> _weights = [];
    private readonly Dictionary<(string Tensor, int Layer), KeptTensor> _kept = [];
    private readonly Dictionary<string, NativeBuffer> _tables = [];
    private readonly Dictionary<string, TensorDeclaration> _tensors = new(StringComparer.Ordinal);
    private NativeBuffer _arena = new(0);
    private ExecutionPlan? _plan;
    private int _context;

    /// <summary>Begins a step.</summary>
    /// <param name="plan">Its plan.</param>
    /// <param name="context">Its context.</param>
    /// <param name="poison">Whether the arena begins without a number.</param>
    public void Begin(ExecutionPlan plan, int context, bool poison)
    {
        if (!ReferenceEquals(plan, _plan))
        {
            _tensors.Clear();
            foreach (var tensor in plan.Tensors)
                _tensors.Add(tensor.Name, tensor);
        }
        // A prefill begins the caches anew, in whatever format; a decode step may go back to an earlier token.
        foreach (var (key, kept) in _kept)
        {
            kept.Cut(context);
            if (kept.Stored > 0)
                continue;
            kept.Dispose();
            _kept.Remove(key);
        }
        (_plan, _context) = (plan, context);
        if (_arena.Bytes < plan.ArenaBytes)
        {
            // The old one first, so that there is room for the new one.
            _arena.Dispose();
            _arena = new NativeBuffer(0);
            _arena = NativeBuffer.Of(plan.ArenaBytes, $"an arena of {plan.ArenaBytes} bytes");
        }
        if (poison)
            _arena.Fill(0xFF);
        foreach (var tensor in plan.Tensors.Where(t => t.Role == TensorRole.BlockTable))
            FillTable(tensor);
    }

    /// <summary>Forgets what was stored of the tokens from one on.</summary>
    public void Cut(int tokens)
    {
        foreach (var kept in _kept.Values)
            kept.Cut(tokens);
    }

    /// <summary>What the caches of the last step's plan hold: token by token, in it each sequence's keys and values, wherever they lie.</summary>
    public List<(string Tensor, int Layer, float[] Values)> Caches()
    {
        var caches = new List<(string Tensor, int Layer, float[] Values)>();
        var sequences = _plan!.Step.Batch;
        foreach (var ((name, layer), kept) in _kept.Where(k => k.Value.Tensor.Role == TensorRole.KeyValues))
        {
            var data = new Operand(kept.Tensor, kept.Buffer.Start, kept.Buffer.Bytes);
            var width = (int)(kept.Tensor.UnitBytes / data.ElementBytes / sequences);
            var values = new float[kept.Stored * sequences * width];
            var block = kept.Tensor.BlockUnits;
            for (var entry = 0; entry < kept.Stored * sequences; entry++)
            {
                var (token, sequence) = (entry / sequences, entry % sequences);
                var at = block == 0 ? entry : (NumberOf(sequence, token / block, sequences) * block) + (token % block);
                data.Load(at * width, values.AsSpan(entry * width, width));
            }
            caches.Add((name, layer, values));
        }
        return caches;
    }

    /// <summary>What an instruction reads: of a cache, tokens that were stored before.</summary>
    /// <inheritdoc cref="Resolve"/>
    public Operand ResolveRead(Instruction instruction, TensorReference reference, int repeatLayer)
    {
        var operand = Resolve(reference, repeatLayer);
        // A prefetch changes no value, so that it may also read what is yet to be written.
        if (KeptOf(reference, repeatLayer) is { } kept && instruction.Operation is not PrefetchOperation)
        {
            var (begin, end) = Positions(reference);
            kept.Read(instruction.Label, begin, end);
        }
        return operand;
    }

    /// <summary>What an instruction writes.</summary>
    /// <inheritdoc cref="Resolve"/>
    public Operand ResolveWrite(TensorReference reference, int repeatLayer)
    {
        var operand = Resolve(reference, repeatLayer);
        if (KeptOf(reference, repeatLayer) is { } kept)
        {
            var (begin, end) = Positions(reference);
            kept.Store(begin, end);
        }
        return operand;
    }

    /// <summary>The bytes that a reference of the step means; of a cache in blocks, all of them.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="repeatLayer">Layer i of the repeat around.</param>
    /// <exception cref="InvalidOperationException">It names nothing that the plan declares, lies outside of it, or means another tensor than was stored.</exception>
    public Operand Resolve(TensorReference reference, int repeatLayer)
    {
        if (!_tensors.TryGetValue(reference.Tensor, out var tensor))
            throw new InvalidOperationException($"'{reference.Tensor}' is not declared");
        if (tensor.UnitBytes < 0)
            throw new InvalidOperationException($"'{tensor.Name}' has {tensor.UnitBytes} bytes a unit");
        var (first, begin, end, bytes) = Sizes(reference, tensor);
        var buffer = BufferOf(tensor, reference.Layer.Resolve(repeatLayer), bytes);
        if (tensor.BlockUnits > 0)
            return new Operand(tensor, buffer.Start, buffer.Bytes);
        if (first < 0 || begin < 0 || end < begin || end > buffer.Bytes - first)
            throw new InvalidOperationException($"bytes [{begin}, {end}) of '{tensor.Name}' lie outside of its memory: from {first} on, of {buffer.Bytes}");
        return new Operand(tensor, buffer.Start + first + begin, end - begin);
    }

    /// <summary>The position of the first token that the step sees in a cache.</summary>
    public long FirstAttended(TensorDeclaration cache) => _context - (cache.Units.At(_context) - _plan!.Step.NewTokens);

    /// <summary>The tokens of a cache that a reference means, counted from the first that the step sees.</summary>
    public (long Begin, long End) Tokens(TensorReference reference)
    {
        var tensor = _tensors[reference.Tensor];
        return (reference.Range?.Begin.At(_context) ?? 0, (reference.Range?.End ?? tensor.Units).At(_context));
    }

    public void Dispose()
    {
        foreach (var buffer in _weights.Values.Concat(_tables.Values))
            buffer.Dispose();
        foreach (var kept in _kept.Values)
            kept.Dispose();
        _arena.Dispose();
    }

    /// <summary>The number of a block: any order of them will do that is not the tokens' own, so that who does not read the table reads wrongly.</summary>
    /// <param name="sequence">Whose block.</param>
    /// <param name="block">Which, counted from the sequence's first token.</param>
    /// <param name="sequences">Sequences of the batch.</param>
    private static int NumberOf(int sequence, long block, int sequences) => checked((int)(((block ^ 1) * sequences) + (sequences - 1 - sequence)));

    /// <summary>Where the bytes of a reference begin and end, counted from the first that the tensor has in this step, where that one lies in its memory, and how many bytes
    /// the memory needs that is the tensor's own.</summary>
    /// <exception cref="InvalidOperationException">They are more than 64 bits count.</exception>
    private (long First, long Begin, long End, long Bytes) Sizes(TensorReference reference, TensorDeclaration tensor)
    {
        try
        {
            checked
            {
                var (begin, end) = Tokens(reference);
                var first = tensor switch
                {
                    { Role: TensorRole.Value, OnHost: false } => tensor.Offset,
                    { Role: TensorRole.KeyValues } => FirstAttended(tensor) * tensor.UnitBytes,
                    _ => 0,
                };
                return (first, begin * tensor.UnitBytes, end * tensor.UnitBytes, UnitsOf(tensor) * tensor.UnitBytes);
            }
        }
        catch (OverflowException)
        {
            throw new InvalidOperationException($"'{tensor.Name}' has more bytes than 64 bits count");
        }
    }

    /// <summary>Units that a tensor's own memory has room for, where it has one: of what stays between steps, those of every context that the plan serves.</summary>
    private long UnitsOf(TensorDeclaration tensor)
    {
        var step = _plan!.Step;
        var units = tensor switch
        {
            { Role: TensorRole.Value, OnHost: false } or { Role: TensorRole.BlockTable } => 0,
            { Role: TensorRole.Weight } => tensor.Units.At(_context),
            { Role: TensorRole.KeyValues } => step.MaxContext + (long)step.NewTokens,
            _ => tensor.Units.Most(step.MinContext, step.MaxContext),
        };
        return tensor.BlockUnits == 0 ? units : checked(((units / tensor.BlockUnits) + 2) / 2 * 2 * tensor.BlockUnits);
    }

    /// <summary>What stays between steps and is meant by a reference, which was resolved; null for all else.</summary>
    private KeptTensor? KeptOf(TensorReference reference, int repeatLayer) => _kept.GetValueOrDefault((reference.Tensor, reference.Layer.Resolve(repeatLayer)));

    /// <summary>The tokens that a reference means, by their positions in the sequence.</summary>
    private (long Begin, long End) Positions(TensorReference reference)
    {
        var first = _tensors[reference.Tensor] is { Role: TensorRole.KeyValues } cache ? FirstAttended(cache) : 0;
        var (begin, end) = Tokens(reference);
        return (first + begin, first + end);
    }

    private NativeBuffer BufferOf(TensorDeclaration tensor, int layer, long bytes)
    {
        switch (tensor.Role)
        {
            case TensorRole.Value when !tensor.OnHost:
                return _arena;
            case TensorRole.BlockTable:
                return _tables[tensor.Name];
            case TensorRole.Weight:
                if (!_weights.TryGetValue((tensor.Name, layer, tensor.Format, bytes), out var weight))
                {
                    weight = Filled(tensor, layer, bytes);
                    _weights.Add((tensor.Name, layer, tensor.Format, bytes), weight);
                }
                return weight;
            default:
                return Kept(tensor, layer, bytes).Buffer;
        }
    }

    private NativeBuffer Filled(TensorDeclaration weight, int layer, long bytes)
    {
        var buffer = NativeBuffer.Of(bytes, $"'{weight.Name}'");
        try
        {
            shard.Fill(new Operand(weight, buffer.Start, bytes), weight.Name[(weight.Name.LastIndexOf('/') + 1)..], layer);
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>What stays between steps, of so many bytes or more.</summary>
    private KeptTensor Kept(TensorDeclaration tensor, int layer, long bytes)
    {
        if (_kept.TryGetValue((tensor.Name, layer), out var kept))
            kept.Check(tensor);
        else
            _kept.Add((tensor.Name, layer), kept = new KeptTensor(tensor, layer));
        kept.Grow(bytes);
        return kept;
    }

    /// <summary>Writes where the blocks of each sequence lie, as the host does before a step.</summary>
    private void FillTable(TensorDeclaration table)
    {
        var bytes = table.Bytes.At(_context);
        if (bytes is < 0 or > int.MaxValue)
            throw new InvalidOperationException($"'{table.Name}' has {bytes} bytes, and a table has 0 to {int.MaxValue}");
        if (!_tables.TryGetValue(table.Name, out var buffer) || buffer.Bytes != bytes)
        {
            var fitting = NativeBuffer.Of(bytes, $"'{table.Name}'");
            buffer?.Dispose();
            _tables[table.Name] = buffer = fitting;
        }
        var caches = _plan!.Tensors.FirstOrDefault(t => t.BlockUnits > 0 && TableOf(t) == table.Name)
            ?? throw new InvalidOperationException($"'{table.Name}' is the table of no cache that the plan declares");
        var first = FirstAttended(caches) / caches.BlockUnits;
        var entries = MemoryMarshal.Cast<byte, int>(new Span<byte>(buffer.Start, (int)bytes));
        var each = entries.Length / _plan.Step.Batch;
        for (var sequence = 0; sequence < _plan.Step.Batch; sequence++)
        {
            for (var i = 0; i < each; i++)
                entries[(sequence * each) + i] = NumberOf(sequence, first + i, _plan.Step.Batch);
        }
    }

    /// <summary>The name of a cache's table: that of its kind of layer and batch.</summary>
    private static string TableOf(TensorDeclaration cache) => BatchNames.Append(cache.Name, "_blocks");
}
