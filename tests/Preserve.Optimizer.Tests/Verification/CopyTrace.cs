namespace Preserve.Optimizer.Tests;

/// <summary>Follows what lies in host memory through the copies of an unrolled plan: what each value holds of a cache, of stored activations or of a
/// weight, token by token and byte by byte. Knows the order of nothing: that a value stands when it is read is the interleavings' to say.</summary>
internal sealed class CopyTrace
{
    private readonly ExecutionPlan _plan;
    private readonly int _context;
    private readonly Instruction[] _instructions;
    private readonly Dictionary<string, TensorDeclaration> _tensors;
    private readonly Dictionary<(string Tensor, int Layer), Instruction> _writers = [];
    private readonly Dictionary<(string Tensor, int Layer), Held?> _held = [];

    public CopyTrace(ExecutionPlan unrolled, Instruction[] instructions, int context)
    {
        (_plan, _instructions, _context) = (unrolled, instructions, context);
        _tensors = unrolled.Tensors.ToDictionary(t => t.Name);
        foreach (var instruction in instructions)
        {
            foreach (var write in instruction.Writes)
                _writers.TryAdd((write.Tensor, write.Layer.Value), instruction);
        }
    }

    /// <summary>Units [begin, end) of a tensor of a layer.</summary>
    public sealed record Held(string Tensor, int Layer, long Begin, long End);

    /// <summary>What a reference holds of what lives in host memory, or is itself; null for any other value.</summary>
    public Held? Of(TensorReference reference)
    {
        var tensor = _tensors[reference.Tensor];
        if (tensor.Role != TensorRole.Value)
            return new Held(reference.Tensor, reference.Layer.Value, reference.Range?.Begin.At(_context) ?? 0, (reference.Range?.End ?? tensor.Units).At(_context));
        var key = (reference.Tensor, reference.Layer.Value);
        if (!_held.TryGetValue(key, out var held))
        {
            _held[key] = null;
            _held[key] = held = WhatIsWritten(reference with { Range = null });
        }
        if (held is null || reference.Range is not { } part)
            return held;
        // A part of a copied weight; of entries nobody reads a part.
        return _tensors[held.Tensor].Role != TensorRole.Weight ? null : held with { Begin = held.Begin + part.Begin.At(_context), End = held.Begin + part.End.At(_context) };
    }

    /// <summary>What is wrong with the copies, the recomputations and what is stored, whatever the order; null when nothing is.</summary>
    public string? Harm()
    {
        if (_plan.Tensors.Any(t => t.OnHost && t.Offset >= 0))
            return "in host memory and in the arena";
        if (_plan.Tensors.Where(t => t.Role == TensorRole.KeyValues).Select(t => BatchOf(t.Name)).Distinct().Count() is var batches && batches != _plan.Batches)
            return "another number of batches";
        foreach (var instruction in _instructions.Where(i => i.Operation is not PrefetchOperation))
        {
            var harm = instruction.Operation switch
            {
                TransferOperation copy => CopyHarm(instruction, copy),
                RecomputeOperation recompute => TouchHarm(instruction) ?? RecomputeHarm(instruction, recompute),
                _ => TouchHarm(instruction) ?? ForeignHarm(instruction),
            };
            if (harm is not null)
                return $"{instruction.Label}: {harm}";
        }
        return StoreHarm();
    }

    private Held? WhatIsWritten(TensorReference value)
    {
        if (!_writers.TryGetValue((value.Tensor, value.Layer.Value), out var writer))
            return null;
        switch (writer.Operation)
        {
            case TransferOperation { Direction: TransferDirection.HostToDevice }:
                return writer is { Reads: { Count: 1 } sources, Writes.Count: 1 } && Bytes(sources[0]) == Bytes(value) && Bytes(writer.Writes[0]) == Bytes(value) ? Of(sources[0]) : null;
            case CollectiveOperation { Kind: CollectiveKind.AllGather }:
                return writer.Reads.Count == 1 && Bytes(value) == _plan.Ranks * Bytes(writer.Reads[0]) && Of(writer.Reads[0]) is { } part && _tensors[part.Tensor].Role == TensorRole.Activations ? part : null;
            case RecomputeOperation recompute:
                return Remade(writer, recompute) is { } made && (made.End - made.Begin) * _tensors[made.Tensor].UnitBytes == Bytes(value) ? made : null;
            default:
                // New entries are what is stored as such.
                var store = _instructions.FirstOrDefault(i => i.Operation is TransferOperation && i.Reads.Any(r => r == value) && i.Writes.Any(w => _tensors[w.Tensor].Role == TensorRole.KeyValues));
                return store is { Writes.Count: 1 } && Bytes(store.Writes[0]) == Bytes(value) ? Of(store.Writes[0]) : null;
        }
    }

    /// <summary>The entries of the tokens whose activations a recomputation reads, all of each.</summary>
    private Held? Remade(Instruction instruction, RecomputeOperation recompute)
    {
        var activations = instruction.Reads.Select(r => (Reference: r, Held: _tensors[r.Tensor].Role == TensorRole.Value ? Of(r) : null))
            .Where(r => r.Held is not null && _tensors[r.Held.Tensor].Role == TensorRole.Activations).ToList();
        if (activations is not [var (read, held)] || held!.Begin != 0 || held.End != recompute.Tokens.At(_context) || read.Range is not null)
            return null;
        var whole = _tensors[read.Tensor].Format.CachedBytes(recompute.Depth) * recompute.Sequences * held.End;
        var cache = KindOf(held.Tensor) + (BatchOf(held.Tensor) < 0 ? "kv" : $"kv@{BatchOf(held.Tensor)}");
        return whole == Bytes(read with { Range = null }) && _tensors.ContainsKey(cache) ? held with { Tensor = cache } : null;
    }

    private string? CopyHarm(Instruction instruction, TransferOperation copy)
    {
        var toDevice = copy.Direction == TransferDirection.HostToDevice;
        if (instruction.Stream != (toDevice ? StreamKind.HostToDevice : StreamKind.DeviceToHost))
            return "a copy on another stream";
        if (instruction.Reads.Any(r => _tensors[r.Tensor].OnHost != toDevice) || instruction.Writes.Any(w => _tensors[w.Tensor].OnHost == toDevice))
            return "a copy between other memories";
        if (!copy.Pinned || instruction.Reads.Concat(instruction.Writes).Any(r => _tensors[r.Tensor].Memory == TensorMemory.PageableHost))
            return "memory of the other kind";
        if (instruction.Reads.Sum(Bytes) != instruction.Writes.Sum(Bytes))
            return "more bytes than there is room for, or fewer";
        if (instruction.Reads.Concat(instruction.Writes).Where(r => r.Layer.Kind != LayerIndexKind.None).Select(r => r.Layer).Distinct().Count() > 1)
            return "a copy from one layer to another";
        return BatchesOf(instruction) > 1 ? "a copy from one batch to another" : null;
    }

    private string? TouchHarm(Instruction instruction)
    {
        if (instruction.Stream is StreamKind.HostToDevice or StreamKind.DeviceToHost)
            return "no copy, and on a stream of copies";
        if (instruction.Reads.Concat(instruction.Writes).Any(r => _tensors[r.Tensor].OnHost))
            return "touches host memory";
        return BatchesOf(instruction) > 1 ? "touches what is of two batches" : null;
    }

    /// <summary>Weights that came from the host belong to the layer that is computed.</summary>
    private string? ForeignHarm(Instruction instruction) => instruction.Reads
        .Where(r => Of(r) is { } held && _tensors[held.Tensor] is { Role: TensorRole.Weight, OnHost: true } && instruction.Writes.Any(w => w.Layer.Kind != LayerIndexKind.None && w.Layer.Value != held.Layer))
        .Select(r => "another layer's weight").FirstOrDefault();

    private string? RecomputeHarm(Instruction instruction, RecomputeOperation recompute)
    {
        if (recompute.Tokens.At(_context) == 0)
            return null;
        if (Remade(instruction, recompute) is not { } made || instruction.Writes.Count != 1 || instruction.Writes[0].Layer.Value != made.Layer)
            return "recomputes from something else than the first tokens' activations of its layer";
        var kind = KindOf(made.Tensor);
        if (_instructions.Where(i => i.Reads.Contains(instruction.Writes[0])).Select(i => i.Operation).OfType<AttentionOperation>()
            .Any(a => (a.Sequences, a.KeyValueHeads, a.HeadSize) != (recompute.Sequences, recompute.KeyValueHeads, recompute.HeadSize)))
        {
            return "keys in another shape than the attention takes";
        }
        if (recompute.Rotates != _instructions.Any(i => i.Operation is ElementwiseOperation { Function: ElementwiseFunction.Rotary } && KindOf(i.Writes[0].Tensor) == kind))
            return "keys that are rotated otherwise";
        // All of what only keys and values go through; of what queries share, the last columns.
        var fused = new[] { "qkv_weight", "qkv_bias" };
        var wanted = new[] { "k_weight", "v_weight", "k_bias", "v_bias", "k_norm_weight" }.Concat(fused).Select(n => kind + n).Where(_tensors.ContainsKey).Order().ToList();
        if (recompute.Normalises != wanted.Contains(kind + "k_norm_weight"))
            return "keys that are normalised otherwise";
        var read = instruction.Reads.Select(Of).Where(h => h is not null && _tensors[h.Tensor].Role == TensorRole.Weight).Select(h => h!).ToList();
        if (!read.Select(h => h.Tensor).Order().SequenceEqual(wanted) || read.Any(h => h.Layer != made.Layer))
            return "other weights than those that made the keys and values";
        var projection = _instructions.FirstOrDefault(i => i.Operation is MatMulOperation && i.Reads.Any(r => Of(r) is { } h && h.Tensor == kind + "qkv_weight"));
        foreach (var held in read)
        {
            var units = _tensors[held.Tensor].Units.At(_context);
            var isShared = fused.Contains(held.Tensor[kind.Length..]);
            if (isShared && projection is null)
                return "weights that project nothing";
            var columns = isShared ? ((MatMulOperation)projection!.Operation).Columns : 0;
            if (held.End != units || held.Begin != (isShared ? units / columns * (columns - recompute.Columns) : 0))
                return "another part of a weight";
        }
        return null;
    }

    /// <summary>New entries are stored once; a prefill's activations are what its keys and values were projected from.</summary>
    private string? StoreHarm()
    {
        var stores = _instructions.Where(i => i.Operation is TransferOperation { Direction: TransferDirection.DeviceToHost }).ToList();
        foreach (var place in stores.SelectMany(s => s.Writes).GroupBy(w => (w.Tensor, w.Layer)))
        {
            if (place.Count() > 1)
                return "entries that are stored twice";
        }
        foreach (var place in _instructions.Where(i => i.Stream == StreamKind.HostToDevice).SelectMany(i => i.Reads).Where(r => _tensors[r.Tensor].Role == TensorRole.KeyValues).GroupBy(r => (r.Tensor, r.Layer)))
        {
            if (place.Count() > 1)
                return "a cache that is brought twice";
        }
        foreach (var tensor in _plan.Tensors.Where(t => t.OnHost && (t.Role == TensorRole.KeyValues || (t.Role == TensorRole.Activations && _plan.Step is PrefillSpec))))
        {
            var stored = stores.SelectMany(s => s.Writes).Where(w => w.Tensor == tensor.Name).ToList();
            if (stored.Sum(Bytes) == 0)
                return $"a part of '{tensor.Name}' that is never stored";
        }
        // Program order says what entries are new.
        if (stores.Any(s => _tensors[s.Writes[0].Tensor].Role == TensorRole.KeyValues && _instructions.TakeWhile(i => !ReferenceEquals(i, s)).Any(i => i.Operation is AttentionOperation && i.Reads.Contains(s.Reads[0]))))
            return "entries that are attended to before they are stored";
        for (var i = 0; i < _instructions.Length; i++)
        {
            if (_instructions[i] is { Operation: AttentionOperation } attention && attention.Reads.Any(r => WritesBehindStore(r, i)))
                return "new entries that are computed again behind their store";
        }
        if (_instructions.Where(i => i.Operation is AttentionOperation).Any(a => a.Reads.Any(r => _instructions.TakeWhile(i => !ReferenceEquals(i, a)).Count(i => i.Operation is RecomputeOperation && i.Writes.Contains(r)) > 1)))
            return "entries that are made again twice";
        if (_plan.Step is not PrefillSpec)
            return null;
        foreach (var tensor in _plan.Tensors.Where(t => t.Role == TensorRole.Activations))
        {
            var cache = KindOf(tensor.Name) + (BatchOf(tensor.Name) < 0 ? "kv" : $"kv@{BatchOf(tensor.Name)}");
            var layers = LayersStored(cache);
            if (!layers.SequenceEqual(LayersStored(tensor.Name)))
                return "activations of other layers than the caches'";
            foreach (var layer in layers)
            {
                var activations = SourceOf(tensor.Name, layer);
                if (_writers.TryGetValue((activations.Tensor, activations.Layer.Value), out var writer) && writer.Operation is ElementwiseOperation { Function: ElementwiseFunction.Store })
                    activations = writer.Reads[0];
                if (!ComesBy(SourceOf(cache, layer), activations, []))
                    return "activations that the keys and values were not projected from";
            }
        }
        return null;

        List<int> LayersStored(string tensor) => stores.SelectMany(s => s.Writes).Where(w => w.Tensor == tensor).Select(w => w.Layer.Value).Order().ToList();

        TensorReference SourceOf(string tensor, int layer) => stores.First(s => s.Writes.Any(w => w.Tensor == tensor && w.Layer.Value == layer)).Reads[0] with { Range = null };
    }

    /// <summary>Whether a value is written, before an instruction, behind the copy that stores it.</summary>
    private bool WritesBehindStore(TensorReference value, int before)
    {
        var store = Array.FindLastIndex(_instructions, before, before + 1, i => i.Operation is TransferOperation { Direction: TransferDirection.DeviceToHost } && i.Reads.Contains(value));
        return store >= 0 && Array.FindLastIndex(_instructions, before, before + 1, i => i.Writes.Contains(value)) > store;
    }

    /// <summary>Whether every matmul that a value goes back to multiplies another value.</summary>
    private bool ComesBy(TensorReference value, TensorReference input, HashSet<TensorReference> seen)
    {
        if (!seen.Add(value) || !_writers.TryGetValue((value.Tensor, value.Layer.Value), out var writer))
            return true;
        if (writer.Operation is MatMulOperation)
            return writer.Reads.Contains(input);
        var sources = writer.Reads.Where(r => _tensors[r.Tensor].Role == TensorRole.Value).ToList();
        return sources.Count > 0 && sources.All(s => ComesBy(s, input, seen));
    }

    private long Bytes(TensorReference reference)
    {
        var tensor = _tensors[reference.Tensor];
        return (reference.Range?.Length ?? tensor.Units).At(_context) * tensor.UnitBytes;
    }

    private static int BatchesOf(Instruction instruction) => instruction.Reads.Concat(instruction.Writes).Select(r => BatchOf(r.Tensor)).Where(b => b >= 0).Distinct().Count();

    /// <summary>The batch of a name; -1 where it is of all.</summary>
    public static int BatchOf(string name) => name.LastIndexOf('@') is >= 0 and var mark ? int.Parse(name[(mark + 1)..], System.Globalization.CultureInfo.InvariantCulture) : -1;

    /// <summary>The kind of layers of a name, up to its last stroke.</summary>
    public static string KindOf(string name) => name[..(name.LastIndexOf('/') + 1)];
}
