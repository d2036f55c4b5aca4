using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>The memory of one rank: the arena of a plan's values, the weights, and what stays between steps, the caches and the stored
/// activations, on device and host alike.</summary>
/// <remarks>A cache has a place for every token of the longest context so far. What a plan names, the window's tokens, is a view that slides over it.</remarks>
internal sealed unsafe class RankMemory(RankShard shard) : IDisposable
{
    private readonly Dictionary<(string Tensor, int Layer), NativeBuffer> _weights = [];
    private readonly Dictionary<(string Tensor, int Layer), NativeBuffer> _kept = [];
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
        (_plan, _context) = (plan, context);
        if (_arena.Bytes < plan.ArenaBytes)
        {
            _arena.Dispose();
            _arena = new NativeBuffer(plan.ArenaBytes);
        }
        if (poison)
            _arena.Fill(0xFF);
        foreach (var tensor in plan.Tensors.Where(t => t.Role == TensorRole.BlockTable))
            FillTable(tensor);
    }

    /// <summary>The bytes that a reference of the step means; of a cache in blocks, all of them.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="repeatLayer">Layer i of the repeat around.</param>
    /// <exception cref="InvalidOperationException">It names nothing that the plan declares, or lies outside of it.</exception>
    public Operand Resolve(TensorReference reference, int repeatLayer)
    {
        if (!_tensors.TryGetValue(reference.Tensor, out var tensor))
            throw new InvalidOperationException($"'{reference.Tensor}' is not declared");
        var layer = reference.Layer.Resolve(repeatLayer);
        var (begin, end) = Bytes(reference, tensor);
        var buffer = BufferOf(tensor, layer);
        if (tensor.BlockUnits > 0)
            return new Operand(tensor, buffer.Start, buffer.Bytes);
        var first = tensor switch
        {
            { Role: TensorRole.Value, OnHost: false } => tensor.Offset,
            { Role: TensorRole.KeyValues } => FirstAttended(tensor) * tensor.UnitBytes,
            _ => 0,
        };
        if (begin < 0 || end < begin || first + end > buffer.Bytes)
            throw new InvalidOperationException($"bytes [{begin}, {end}) of '{tensor.Name}' lie outside of its {buffer.Bytes - first}");
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
        foreach (var buffer in _weights.Values.Concat(_kept.Values).Concat(_tables.Values))
            buffer.Dispose();
        _arena.Dispose();
    }

    /// <summary>The number of a block: any order of them will do that is not the tokens' own, so that who does not read the table reads wrongly.</summary>
    /// <param name="sequence">Whose block.</param>
    /// <param name="block">Which, counted from the sequence's first token.</param>
    /// <param name="sequences">Sequences of the batch.</param>
    private static int NumberOf(int sequence, long block, int sequences) => checked((int)(((block ^ 1) * sequences) + (sequences - 1 - sequence)));

    private (long Begin, long End) Bytes(TensorReference reference, TensorDeclaration tensor) => (
        (reference.Range?.Begin.At(_context) ?? 0) * tensor.UnitBytes,
        (reference.Range?.End ?? tensor.Units).At(_context) * tensor.UnitBytes);

    private NativeBuffer BufferOf(TensorDeclaration tensor, int layer)
    {
        switch (tensor.Role)
        {
            case TensorRole.Value when !tensor.OnHost:
                return _arena;
            case TensorRole.BlockTable:
                return _tables[tensor.Name];
            case TensorRole.Weight:
                if (!_weights.TryGetValue((tensor.Name, layer), out var weight))
                {
                    var bytes = tensor.Bytes.At(_context);
                    weight = new NativeBuffer(bytes);
                    shard.Fill(new Operand(tensor, weight.Start, bytes), tensor.Name[(tensor.Name.LastIndexOf('/') + 1)..], layer);
                    _weights.Add((tensor.Name, layer), weight);
                }
                return weight;
            default:
                return Kept(tensor, layer);
        }
    }

    /// <summary>What stays between steps, long enough for every context that the plan serves; it grows with what it holds.</summary>
    private NativeBuffer Kept(TensorDeclaration tensor, int layer)
    {
        var step = _plan!.Step;
        var units = tensor.Role == TensorRole.KeyValues
            ? step.MaxContext + (long)step.NewTokens
            : tensor.Units.Most(step.MinContext, step.MaxContext);
        if (tensor.BlockUnits > 0)
            units = ((units / tensor.BlockUnits) + 2) / 2 * 2 * tensor.BlockUnits;
        var known = _kept.GetValueOrDefault((tensor.Name, layer));
        if (known is not null && known.Bytes >= units * tensor.UnitBytes)
            return known;
        var buffer = new NativeBuffer(units * tensor.UnitBytes);
        if (known is not null)
        {
            buffer.CopyFrom(known);
            known.Dispose();
        }
        return _kept[(tensor.Name, layer)] = buffer;
    }

    /// <summary>Writes where the blocks of each sequence lie, as the host does before a step.</summary>
    private void FillTable(TensorDeclaration table)
    {
        var bytes = table.Bytes.At(_context);
        if (!_tables.TryGetValue(table.Name, out var buffer) || buffer.Bytes != bytes)
        {
            buffer?.Dispose();
            _tables[table.Name] = buffer = new NativeBuffer(bytes);
        }
        var caches = _plan!.Tensors.First(t => t.BlockUnits > 0 && TableOf(t) == table.Name);
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
