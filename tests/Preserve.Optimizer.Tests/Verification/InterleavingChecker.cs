namespace Preserve.Optimizer.Tests;

/// <summary>Says whether a plan can go wrong by running it in every order that its streams and events allow, on a memory that
/// remembers whose bytes lie where. Naive on purpose, and shares nothing with the verifier: it is what the verifier is held to.</summary>
internal sealed class InterleavingChecker
{
    private const int MostStates = 200_000;

    private readonly ExecutionPlan _plan;
    private readonly int _context;
    private readonly Instruction[] _instructions;
    private readonly Dictionary<string, TensorDeclaration> _tensors;
    private readonly int[][] _streams;
    private readonly int[][] _waits;
    private readonly int[] _rank;
    private readonly long[] _cuts;
    private readonly CopyTrace _trace;

    /// <summary>What the step is for: it has to be there at the end.</summary>
    private readonly TensorReference[] _results;
    private readonly List<(string Tensor, int Layer)> _names = [];
    private readonly HashSet<string> _seen = [];
    private readonly (int Prefetch, int Consumer, bool LeftByTheStepBefore, (string, int, long, long) Place)[] _prefetches;

    private InterleavingChecker(ExecutionPlan unrolled, int context)
    {
        _plan = unrolled;
        _context = context;
        _instructions = unrolled.Body.Cast<Instruction>().ToArray();
        _tensors = unrolled.Tensors.ToDictionary(t => t.Name);
        _rank = new int[_instructions.Length];
        _streams = Enum.GetValues<StreamKind>().Select(s => Enumerable.Range(0, _instructions.Length).Where(i => _instructions[i].Stream == s).ToArray()).ToArray();
        foreach (var stream in _streams)
        {
            for (var r = 0; r < stream.Length; r++)
                _rank[stream[r]] = r;
        }
        _waits = _instructions.Select((instruction, i) => instruction.Waits
            .Select(w => Array.FindLastIndex(_instructions, Math.Max(i - 1, 0), Math.Max(i, 1), s => s.Signals && s.Label == w)).ToArray()).ToArray();
        if (_instructions.Length > 0)
            _waits[0] = _instructions[0].Waits.Select(_ => -1).ToArray();
        _trace = new CopyTrace(unrolled, _instructions, context);
        _results = unrolled.Tensors.Where(t => t is { Role: TensorRole.Value, PerLayer: false, OnHost: false } && !_instructions.Any(i => i.Reads.Any(r => r.Tensor == t.Name)))
            .Select(t => new TensorReference(t.Name, LayerIndex.None)).ToArray();
        _cuts = unrolled.Tensors.Where(t => t is { Role: TensorRole.Value, OnHost: false })
            .SelectMany(t => new[] { t.Offset, t.Offset + t.Bytes.At(context) }).Distinct().Order().ToArray();
        _prefetches = Prefetches().ToArray();
    }

    /// <summary>What goes wrong in some order at one of the plan's contexts, or null.</summary>
    public static string? FindHarm(ExecutionPlan plan)
    {
        var unrolled = plan.Unroll();
        foreach (var context in plan.CheckedContexts())
        {
            var checker = new InterleavingChecker(unrolled, context);
            if ((checker.StaticHarm() ?? checker.Explore()) is { } harm)
                return $"context {context}: {harm}";
        }
        return null;
    }

    private string? StaticHarm()
    {
        foreach (var tensor in _plan.Tensors)
        {
            if (tensor.Units.At(_context) < 0)
                return "less than nothing";
            if (tensor is { Role: TensorRole.Value, OnHost: false } && (tensor.Offset < 0 || (decimal)tensor.Offset + tensor.Bytes.At(_context) > _plan.ArenaBytes))
                return "outside of the arena";
        }
        var attended = new Dictionary<(int Layer, int Batch), int>();
        var used = new Dictionary<(int Batch, string Tensor, int Layer), int>();
        foreach (var (instruction, waits) in _instructions.Zip(_waits))
        {
            if (instruction.Operation is PrefetchOperation != (instruction.Stream == StreamKind.Prefetch))
                return "a prefetch on another stream, or something else on theirs";
            if (instruction.Operation is PrefetchOperation && instruction.Reads.Any(r => _tensors[r.Tensor].OnHost))
                return "a prefetch from host memory";
            if (waits.Contains(-1))
                return "an event that never comes";
            foreach (var reference in instruction.Reads.Concat(instruction.Writes))
            {
                var tensor = _tensors[reference.Tensor];
                var most = tensor.Role == TensorRole.Value ? _plan.Layers : _plan.Layers - 1;
                if (tensor.PerLayer && (reference.Layer.Value < 0 || reference.Layer.Value > most))
                    return "a layer that does not exist";
                if (reference.Range is { } range && (range.Begin.At(_context) < 0 || range.Length.At(_context) < 0 || range.End.At(_context) > tensor.Units.At(_context)))
                    return "a range that does not exist";
            }
            foreach (var write in instruction.Writes.Where(w => _tensors[w.Tensor].Role == TensorRole.KeyValues))
            {
                var units = _tensors[write.Tensor].Units.At(_context);
                if ((write.Range?.End.At(_context) ?? units) != units || (write.Range?.Begin.At(_context) ?? 0) != Fresh(write.Tensor))
                    return "old entries are overwritten, or new ones left out";
            }
        }
        if ((_trace.Harm() ?? new ShapeTrace(_plan, _tensors, _trace, _context).Harm(_instructions)) is { } harm)
            return harm;
        foreach (var instruction in Computing())
        {
            var batch = instruction.Writes.Select(w => CopyTrace.BatchOf(w.Tensor)).DefaultIfEmpty(-1).Max();
            foreach (var weight in WeightsOf(instruction).Where(w => _tensors[w.Key.Tensor].PerLayer))
            {
                var key = (batch, weight.Key.Tensor, weight.Key.Layer);
                used[key] = used.GetValueOrDefault(key) + 1;
                if (used[key] > 1)
                    return "a layer's weight is used twice";
                // A norm that is fused with a collective is of the layer that it hands on to.
                var values = instruction.Reads.Concat(instruction.Operation is CollectiveOperation ? instruction.Writes : []).Where(r => _tensors[r.Tensor] is { Role: TensorRole.Value, PerLayer: true }).Select(r => r.Layer.Value).ToList();
                if (instruction.Operation is CollectiveOperation ? !values.Contains(weight.Key.Layer) : values.Any(v => v != weight.Key.Layer))
                    return "a weight of another layer than what it is applied to";
            }
            foreach (var cache in CachesOf(instruction))
            {
                var own = (cache.Key.Layer, CopyTrace.BatchOf(cache.Key.Tensor));
                attended[own] = attended.GetValueOrDefault(own) + 1;
                var tokens = new int[_tensors[cache.Key.Tensor].Units.At(_context)];
                foreach (var entries in cache)
                {
                    for (var token = entries.Begin; token < entries.End; token++)
                        tokens[token]++;
                }
                if (tokens.Any(t => t != 1))
                    return "the cache is not covered exactly once";
            }
        }
        if (attended.Count != _plan.Layers * Math.Max(_plan.Batches, 1) || attended.Values.Any(a => a != 1))
            return "a layer is not attended to exactly once";
        return Incomplete();
    }

    /// <summary>What computes what the step is for: neither prefetches nor copies, nor what makes keys and values a second time.</summary>
    private IEnumerable<Instruction> Computing() => _instructions.Where(i => i.Operation is not (PrefetchOperation or TransferOperation or RecomputeOperation));

    /// <summary>The weights that an instruction reads, where they lie or from copies of theirs.</summary>
    private IEnumerable<IGrouping<(string Tensor, int Layer), CopyTrace.Held>> WeightsOf(Instruction instruction) => HeldBy(instruction, TensorRole.Weight);

    /// <summary>The caches that an instruction reads, where they lie or from copies of their entries and such as were made again.</summary>
    private IEnumerable<IGrouping<(string Tensor, int Layer), CopyTrace.Held>> CachesOf(Instruction instruction) =>
        instruction.Operation is AttentionOperation ? HeldBy(instruction, TensorRole.KeyValues) : [];

    private IEnumerable<IGrouping<(string Tensor, int Layer), CopyTrace.Held>> HeldBy(Instruction instruction, TensorRole role) =>
        instruction.Reads.Select(_trace.Of).OfType<CopyTrace.Held>().Where(h => _tensors[h.Tensor].Role == role).GroupBy(h => (h.Tensor, h.Layer));

    /// <summary>What is declared and never computed with, and bytes of values that nobody, or more than one, computes.</summary>
    private string? Incomplete()
    {
        var computing = _instructions.Where(i => i.Operation is not PrefetchOperation).ToList();
        var weights = Computing().SelectMany(i => WeightsOf(i).Select(w => (w.Key.Tensor, w.Key.Layer, Batch: i.Writes.Select(t => CopyTrace.BatchOf(t.Tensor)).DefaultIfEmpty(-1).Max()))).ToHashSet();
        var caches = Computing().SelectMany(CachesOf).Select(c => c.Key).ToHashSet();
        foreach (var tensor in _plan.Tensors)
        {
            if (tensor.Role == TensorRole.Weight && !weights.Any(w => w.Tensor == tensor.Name))
                return "a weight that nobody reads";
            if (tensor.Role == TensorRole.Value && !computing.Any(i => i.Writes.Any(w => w.Tensor == tensor.Name)))
                return "a value that nobody computes";
        }
        // A batch without what the others read computes something else than they do.
        foreach (var weight in _plan.Tensors.Where(t => t is { Role: TensorRole.Weight, PerLayer: false }))
        {
            var readers = Computing().Where(i => i.Reads.Any(r => r.Tensor == weight.Name)).Select(i => CopyTrace.BatchOf(i.Writes[0].Tensor)).ToList();
            if (Enumerable.Range(0, _plan.Batches).Select(b => readers.Count(r => Math.Max(r, 0) == b)).Distinct().Count() > 1)
                return "a weight that not all batches read alike";
        }
        // A layer without one of its kind's weights computes something else than the layers like it.
        foreach (var weight in _plan.Tensors.Where(t => t is { Role: TensorRole.Weight, PerLayer: true }))
        {
            var layers = caches.Where(c => CopyTrace.KindOf(c.Tensor) == CopyTrace.KindOf(weight.Name)).Select(c => (c.Layer, CopyTrace.BatchOf(c.Tensor))).ToHashSet();
            if (!layers.SetEquals(weights.Where(w => w.Tensor == weight.Name).Select(w => (w.Layer, w.Batch))))
                return "a weight that not all layers of its kind read";
        }
        // Who computes each byte of each value.
        var writers = new Dictionary<(string Tensor, LayerIndex Layer), Instruction?[]>();
        foreach (var instruction in computing)
        {
            if (instruction.Operation is not (TransferOperation or RecomputeOperation) && WeightsOf(instruction).Any(w => !IsWhole(w)))
                return "a part of a weight";
            foreach (var write in instruction.Writes.Where(w => _tensors[w.Tensor].Role == TensorRole.Value))
            {
                if (!writers.TryGetValue((write.Tensor, write.Layer), out var bytes))
                    writers.Add((write.Tensor, write.Layer), bytes = new Instruction?[_tensors[write.Tensor].Units.At(_context)]);
                var (begin, end) = BytesOf(write);
                for (var b = begin; b < end; b++)
                {
                    if (bytes[b] is { } other && !ReferenceEquals(other, instruction) && (other.Operation != instruction.Operation || other.Reads != instruction.Reads))
                        return "bytes that two compute";
                    bytes[b] = instruction;
                }
            }
        }
        foreach (var read in computing.SelectMany(i => i.Reads).Where(r => _tensors[r.Tensor].Role == TensorRole.Value))
        {
            var (begin, end) = BytesOf(read);
            if (end > begin && (!writers.TryGetValue((read.Tensor, read.Layer), out var bytes) || bytes.AsSpan((int)begin, (int)(end - begin)).Contains(null)))
                return "bytes that nobody computes";
        }
        // What is computed at all is computed whole: the last value is the step's result, and nothing in the step reads it.
        if (writers.Values.Any(bytes => bytes.AsSpan().Contains(null)))
            return "a value that is computed in part";
        return null;
    }

    private (long Begin, long End) BytesOf(TensorReference reference) =>
        (reference.Range?.Begin.At(_context) ?? 0, (reference.Range?.End ?? _tensors[reference.Tensor].Units).At(_context));

    /// <summary>Whether parts follow each other from a tensor's first byte to its last.</summary>
    private bool IsWhole(IGrouping<(string Tensor, int Layer), CopyTrace.Held> parts)
    {
        var next = 0L;
        foreach (var part in parts)
        {
            if (part.Begin != next)
                return false;
            next = part.End;
        }
        return next == _tensors[parts.Key.Tensor].Units.At(_context);
    }

    private long Fresh(string cache) =>
        _tensors[cache].Units.At(_context) - (_plan.Step.ContextIsTotal ? _plan.Step.Batch : _plan.Step.NewTokens);

    private string? Explore()
    {
        var accesses = _instructions.Select(AccessesOf).ToArray();
        var results = _results.Select(AccessOf).ToArray();
        var pending = new Stack<(int[] Positions, int[] Memory)>();
        pending.Push((new int[_streams.Length], Enumerable.Repeat(-1, Math.Max(_cuts.Length - 1, 0)).ToArray()));
        while (pending.Count > 0)
        {
            var (positions, memory) = pending.Pop();
            if (!_seen.Add(new string([.. positions.Concat(memory).Select(n => (char)(n + 1))])))
                continue;
            if (_seen.Count > MostStates)
                throw new InvalidOperationException("too many orders to try them all");
            var moved = false;
            for (var s = 0; s < _streams.Length; s++)
            {
                if (positions[s] == _streams[s].Length)
                    continue;
                var index = _streams[s][positions[s]];
                if (Array.Exists(_waits[index], w => !Done(positions, w)))
                    continue;
                moved = true;
                var next = ((int[])positions.Clone(), (int[])memory.Clone());
                if (Run(index, accesses[index], positions, next.Item2) is { } harm)
                    return $"{_instructions[index].Label}: {harm}";
                next.Item1[s]++;
                pending.Push(next);
            }
            if (!moved && positions.Where((p, s) => p < _streams[s].Length).Any())
                return "all streams wait";
            if (!moved && Array.Exists(results, r => memory.AsSpan(r.From, r.Count).ContainsAnyExcept(r.Name)))
                return "a result that is overwritten";
        }
        return null;
    }

    private bool Done(int[] positions, int instruction) => positions[(int)_instructions[instruction].Stream] > _rank[instruction];

    private string? Run(int index, Accesses accesses, int[] positions, int[] memory)
    {
        if (_instructions[index].Operation is PrefetchOperation)
            return Held(index, positions) > _plan.PrefetchRoomBytes ? "no room for what is prefetched" : null;
        foreach (var read in accesses.Reads)
        {
            if (memory.AsSpan(read.From, read.Count).ContainsAnyExcept(read.Name))
                return $"reads other bytes than {_names[read.Name].Tensor}";
        }
        foreach (var stores in accesses.Stores)
        {
            if (!Array.Exists(stores, store => Done(positions, store)))
                return "reads entries that are not stored";
        }
        foreach (var write in accesses.Writes)
            memory.AsSpan(write.From, write.Count).Fill(write.Name);
        return null;
    }

    /// <summary>Pieces of the arena, and whose bytes should lie there, or will.</summary>
    private readonly record struct Access(int From, int Count, int Name);

    /// <summary>What an instruction reads and writes in the arena, and who stores the new entries that it reads.</summary>
    private sealed record Accesses(Access[] Reads, Access[] Writes, int[][] Stores);

    private Accesses AccessesOf(Instruction instruction) => new(
        instruction.Reads.Where(IsInArena).Select(AccessOf).ToArray(),
        instruction.Writes.Where(IsInArena).Select(AccessOf).ToArray(),
        instruction.Operation is PrefetchOperation ? [] : instruction.Reads
            .Where(r => _tensors[r.Tensor].Role == TensorRole.KeyValues && r.Range!.End.At(_context) > Math.Max(Fresh(r.Tensor), r.Range.Begin.At(_context)))
            .Select(r => Enumerable.Range(0, _instructions.Length).Where(i => _instructions[i].Writes.Any(w => (w.Tensor, w.Layer.Value) == (r.Tensor, r.Layer.Value))).ToArray()).ToArray());

    private bool IsInArena(TensorReference reference) => _tensors[reference.Tensor] is { Role: TensorRole.Value, OnHost: false };

    private Access AccessOf(TensorReference reference)
    {
        var tensor = _tensors[reference.Tensor];
        var from = Array.BinarySearch(_cuts, tensor.Offset);
        var name = (reference.Tensor, reference.Layer.Value);
        if (!_names.Contains(name))
            _names.Add(name);
        return new(from, Array.BinarySearch(_cuts, tensor.Offset + tensor.Bytes.At(_context)) - from, _names.IndexOf(name));
    }

    /// <summary>Bytes prefetched and not read when a prefetch begins; those that the step before left included.</summary>
    private long Held(int index, int[] positions)
    {
        var bytes = new HashSet<(string, int, long, long)>();
        foreach (var (prefetch, consumer, leftByTheStepBefore, place) in _prefetches)
        {
            var issued = prefetch == index || Done(positions, prefetch);
            if (leftByTheStepBefore ? issued || consumer < 0 || !Done(positions, consumer) : issued && !Done(positions, consumer))
                bytes.Add(place);
        }
        return bytes.GroupBy(b => (b.Item1, b.Item2)).Sum(g =>
        {
            var (total, covered) = (0L, 0L);
            foreach (var (_, _, begin, end) in g.OrderBy(b => b.Item3))
            {
                total += Math.Max(0, end - Math.Max(begin, covered));
                covered = Math.Max(covered, end);
            }
            return total;
        });
    }

    /// <summary>What each prefetch reads, with who reads it next: in this step or, where nobody does any more, in the one after.</summary>
    private IEnumerable<(int Prefetch, int Consumer, bool LeftByTheStepBefore, (string, int, long, long) Place)> Prefetches()
    {
        for (var i = 0; i < _instructions.Length; i++)
        {
            if (_instructions[i].Operation is not PrefetchOperation)
                continue;
            // A table is looked up to find what lies in blocks, and not brought for a reader.
            foreach (var reference in _instructions[i].Reads.Where(r => _tensors[r.Tensor].Role != TensorRole.BlockTable))
            {
                var reader = Array.FindIndex(_instructions, i, r => Reads(r, reference));
                var tensor = _tensors[reference.Tensor];
                yield return (i, reader < 0 ? Array.FindIndex(_instructions, r => Reads(r, reference)) : reader, reader < 0,
                    (reference.Tensor, reference.Layer.Value, (reference.Range?.Begin.At(_context) ?? 0) * tensor.UnitBytes,
                        (reference.Range?.End ?? tensor.Units).At(_context) * tensor.UnitBytes));
            }
        }
    }

    private bool Reads(Instruction instruction, TensorReference prefetched) => instruction.Operation is not PrefetchOperation
        && instruction.Reads.Any(r => r.Tensor == prefetched.Tensor && r.Layer == prefetched.Layer
            && (r.Range?.Begin.At(_context) ?? 0) < (prefetched.Range?.End ?? _tensors[r.Tensor].Units).At(_context)
            && (prefetched.Range?.Begin.At(_context) ?? 0) < (r.Range?.End ?? _tensors[r.Tensor].Units).At(_context));
}
