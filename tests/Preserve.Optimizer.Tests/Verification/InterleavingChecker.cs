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
        _cuts = unrolled.Tensors.Where(t => t.Role == TensorRole.Value)
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
            if (tensor.Role == TensorRole.Value && (tensor.Offset < 0 || (decimal)tensor.Offset + tensor.Bytes.At(_context) > _plan.ArenaBytes))
                return "outside of the arena";
        }
        var attended = new int[_plan.Layers];
        var used = new Dictionary<(string, int), int>();
        foreach (var (instruction, waits) in _instructions.Zip(_waits))
        {
            if (instruction.Operation is PrefetchOperation != (instruction.Stream == StreamKind.Prefetch))
                return "a prefetch on another stream, or something else on theirs";
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
            if (instruction.Operation is PrefetchOperation)
                continue;
            foreach (var read in instruction.Reads.Where(r => _tensors[r.Tensor] is { Role: TensorRole.Weight, PerLayer: true }).Distinct())
            {
                var key = (read.Tensor, read.Layer.Value);
                used[key] = used.GetValueOrDefault(key) + 1;
                if (used[key] > 1)
                    return "a layer's weight is used twice";
            }
            foreach (var cache in instruction.Reads.Where(r => _tensors[r.Tensor].Role == TensorRole.KeyValues).GroupBy(r => (r.Tensor, r.Layer)))
            {
                attended[cache.Key.Layer.Value]++;
                var tokens = new int[_tensors[cache.Key.Tensor].Units.At(_context)];
                foreach (var range in cache.Select(r => r.Range!))
                {
                    for (var token = range.Begin.At(_context); token < range.End.At(_context); token++)
                        tokens[token]++;
                }
                if (tokens.Any(t => t != 1))
                    return "the cache is not covered exactly once";
            }
            foreach (var write in instruction.Writes.Where(w => _tensors[w.Tensor].Role == TensorRole.KeyValues))
            {
                var units = _tensors[write.Tensor].Units.At(_context);
                if (write.Range!.End.At(_context) != units || write.Range.Begin.At(_context) != Fresh(write.Tensor))
                    return "old entries are overwritten, or new ones left out";
            }
        }
        if (attended.Any(a => a != 1))
            return "a layer is not attended to exactly once";
        return Incomplete();
    }

    /// <summary>What is declared and never computed with, and bytes of values that nobody, or more than one, computes.</summary>
    private string? Incomplete()
    {
        var computing = _instructions.Where(i => i.Operation is not PrefetchOperation).ToList();
        foreach (var tensor in _plan.Tensors)
        {
            if (tensor.Role == TensorRole.Weight && !computing.Any(i => i.Reads.Any(r => r.Tensor == tensor.Name)))
                return "a weight that nobody reads";
            if (tensor.Role == TensorRole.Value && !computing.Any(i => i.Writes.Any(w => w.Tensor == tensor.Name)))
                return "a value that nobody computes";
        }
        // A layer without one of its kind's weights computes something else than the layers like it.
        foreach (var weight in _plan.Tensors.Where(t => t is { Role: TensorRole.Weight, PerLayer: true }))
        {
            var kind = weight.Name[..(weight.Name.LastIndexOf('/') + 1)];
            var layers = computing.SelectMany(i => i.Reads).Where(r => _tensors[r.Tensor].Role == TensorRole.KeyValues && r.Tensor == kind + "kv").Select(r => r.Layer.Value).ToHashSet();
            if (!layers.SetEquals(computing.SelectMany(i => i.Reads).Where(r => r.Tensor == weight.Name).Select(r => r.Layer.Value)))
                return "a weight that not all layers of its kind read";
        }
        var writers = new Dictionary<(string, LayerIndex, long), Instruction>();
        foreach (var instruction in computing)
        {
            foreach (var read in instruction.Reads.Where(r => _tensors[r.Tensor].Role == TensorRole.Weight))
            {
                if (BytesOf(read).Count() != _tensors[read.Tensor].Units.At(_context))
                    return "a part of a weight";
            }
            foreach (var write in instruction.Writes.Where(w => _tensors[w.Tensor].Role == TensorRole.Value))
            {
                foreach (var b in BytesOf(write))
                {
                    if (writers.TryGetValue((write.Tensor, write.Layer, b), out var other) && (other.Operation != instruction.Operation || other.Reads != instruction.Reads))
                        return "bytes that two compute";
                    writers[(write.Tensor, write.Layer, b)] = instruction;
                }
            }
        }
        foreach (var read in computing.SelectMany(i => i.Reads).Where(r => _tensors[r.Tensor].Role == TensorRole.Value))
        {
            if (BytesOf(read).Any(b => !writers.ContainsKey((read.Tensor, read.Layer, b))))
                return "bytes that nobody computes";
        }
        // What is computed at all is computed whole: the last value is the step's result, and nothing in the step reads it.
        if (writers.Keys.GroupBy(k => (k.Item1, k.Item2)).Any(g => g.Count() != _tensors[g.Key.Item1].Units.At(_context)))
            return "a value that is computed in part";
        return null;
    }

    private IEnumerable<long> BytesOf(TensorReference reference)
    {
        var begin = reference.Range?.Begin.At(_context) ?? 0;
        var end = reference.Range?.End.At(_context) ?? _tensors[reference.Tensor].Units.At(_context);
        for (var b = begin; b < end; b++)
            yield return b;
    }

    private long Fresh(string cache) =>
        _tensors[cache].Units.At(_context) - (_plan.Step.ContextIsTotal ? _plan.Step.Batch : _plan.Step.NewTokens);

    private string? Explore()
    {
        var pending = new Stack<(int[] Positions, int[] Memory, HashSet<(string, int)> Stored)>();
        pending.Push((new int[_streams.Length], Enumerable.Repeat(-1, Math.Max(_cuts.Length - 1, 0)).ToArray(), []));
        while (pending.Count > 0)
        {
            var (positions, memory, stored) = pending.Pop();
            if (!_seen.Add($"{string.Join(',', positions)}|{string.Join(',', memory)}"))
                continue;
            if (_seen.Count > MostStates)
                throw new InvalidOperationException("too many orders to try them all");
            var moved = false;
            for (var s = 0; s < _streams.Length; s++)
            {
                if (positions[s] == _streams[s].Length)
                    continue;
                var index = _streams[s][positions[s]];
                if (_waits[index].Any(w => !Done(positions, w)))
                    continue;
                moved = true;
                var next = ((int[])positions.Clone(), (int[])memory.Clone(), new HashSet<(string, int)>(stored));
                if (Run(index, positions, next.Item2, next.Item3) is { } harm)
                    return $"{_instructions[index].Label}: {harm}";
                next.Item1[s]++;
                pending.Push(next);
            }
            if (!moved && positions.Where((p, s) => p < _streams[s].Length).Any())
                return "all streams wait";
        }
        return null;
    }

    private bool Done(int[] positions, int instruction) => positions[(int)_instructions[instruction].Stream] > _rank[instruction];

    private string? Run(int index, int[] positions, int[] memory, HashSet<(string, int)> stored)
    {
        var instruction = _instructions[index];
        if (instruction.Operation is PrefetchOperation)
            return Held(index, positions) > _plan.PrefetchRoomBytes ? "no room for what is prefetched" : null;
        foreach (var read in instruction.Reads)
        {
            var tensor = _tensors[read.Tensor];
            if (tensor.Role == TensorRole.Value && Segments(tensor).Any(s => memory[s] != Name(read)))
                return $"reads other bytes than {read.Tensor}";
            if (tensor.Role == TensorRole.KeyValues && read.Range!.End.At(_context) > Math.Max(Fresh(read.Tensor), read.Range.Begin.At(_context)) && !stored.Contains((read.Tensor, read.Layer.Value)))
                return "reads entries that are not stored";
        }
        foreach (var write in instruction.Writes)
        {
            var tensor = _tensors[write.Tensor];
            if (tensor.Role == TensorRole.KeyValues)
                stored.Add((write.Tensor, write.Layer.Value));
            foreach (var segment in tensor.Role == TensorRole.Value ? Segments(tensor) : [])
                memory[segment] = Name(write);
        }
        return null;
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
            foreach (var reference in _instructions[i].Reads)
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

    private IEnumerable<int> Segments(TensorDeclaration tensor)
    {
        for (var s = Array.BinarySearch(_cuts, tensor.Offset); s + 1 < _cuts.Length && _cuts[s] < tensor.Offset + tensor.Bytes.At(_context); s++)
            yield return s;
    }

    private int Name(TensorReference reference)
    {
        var key = (reference.Tensor, reference.Layer.Value);
        if (!_names.Contains(key))
            _names.Add(key);
        return _names.IndexOf(key);
    }
}
