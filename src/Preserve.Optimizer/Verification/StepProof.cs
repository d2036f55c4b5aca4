using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Walks a plan in program order at one context and proves that no order in which the streams may run it reads other
/// bytes than program order does, nor holds more prefetched bytes than there is room for.</summary>
/// <remarks>
/// A repeat is walked until its state at the beginning of an iteration, with layers counted from the iteration's, has been
/// there before. What an iteration does and what is checked in it depends on that state alone, so the iterations from there
/// on are those that were checked already; they are passed over, and the rest is walked from the state that they end in.
/// </remarks>
internal sealed class StepProof
{
    private const int MostEvents = 64 - StreamCount;
    private const int StreamCount = (int)StreamKind.DeviceToHost + 1;

    private readonly ExecutionPlan _plan;
    private readonly int _context;
    private readonly TensorPlaces _places;
    private readonly Dictionary<string, int> _events = new(StringComparer.Ordinal);
    private readonly ulong _accessingStreams;
    private readonly List<PlanFault> _faults = [];

    private readonly List<MemoryAccess> _accesses = [];
    private readonly HashSet<(string Tensor, int Layer)> _settled = [];
    private readonly PrefetchedBytes _prefetched;
    private readonly HashSet<string> _signalled = new(StringComparer.Ordinal);
    private readonly CopiedEntries _copies;

    /// <summary>Values of no layer that nobody reads: what the step is for.</summary>
    private readonly HashSet<string> _results;

    public StepProof(ExecutionPlan plan, int context)
    {
        _plan = plan;
        _context = context;
        _places = new TensorPlaces(plan, context);
        _prefetched = new PrefetchedBytes(_places);
        _copies = new CopiedEntries(_places, context);
        _results = new HashSet<string>(plan.Tensors.Where(t => !t.PerLayer && _places.IsInArena(t.Name)).Select(t => t.Name), StringComparer.Ordinal);
        foreach (var instruction in plan.Instructions())
        {
            _results.ExceptWith(instruction.Reads.Select(r => r.Tensor));
            if (instruction.Signals && !_events.ContainsKey(instruction.Label))
                _events.Add(instruction.Label, StreamCount + _events.Count);
            if (instruction.Operation is not PrefetchOperation)
                _accessingStreams |= Bit(instruction.Stream);
        }
    }

    /// <summary>Whether the walk only looks for what is left of the prefetches at the end of a step.</summary>
    private bool _countsPrefetchesOnly;

    /// <summary>Instructions walked.</summary>
    public int Steps { get; private set; }

    public IReadOnlyList<PlanFault> Prove()
    {
        if (_events.Count > MostEvents)
            return [new PlanFault(PlanFaultKind.Event, "", 0, _context, $"{_events.Count} events are more than the {MostEvents} that can be proved")];
        // What the step before prefetched and did not read is still there when this one begins.
        _countsPrefetchesOnly = true;
        Walk(_plan.Body, 0);
        _prefetched.ForgetRead();
        _countsPrefetchesOnly = false;
        _signalled.Clear();
        _copies.Clear();
        Steps = 0;
        Walk(_plan.Body, 0);
        return _faults;
    }

    private void Walk(EquatableArray<PlanNode> body, int layer)
    {
        foreach (var node in body)
        {
            if (_faults.Count > 0)
                return;
            if (node is Repeat repeat)
                WalkRepeat(repeat);
            else
                Step((Instruction)node, layer);
        }
    }

    private void WalkRepeat(Repeat repeat)
    {
        var touched = new HashSet<string>(TensorsOf(repeat.Body), StringComparer.Ordinal);
        var states = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var iteration = 0; iteration < repeat.Count && _faults.Count == 0; iteration++)
        {
            var layer = repeat.FirstLayer + (iteration * repeat.Stride);
            var state = ProofState.Describe(_accesses, _settled, _prefetched.Ranges, _signalled, _copies.ByValue, touched, layer);
            if (states.TryGetValue(state, out var before))
            {
                var period = iteration - before;
                var passed = (repeat.Count - iteration) / period * period;
                ProofState.Shift(_accesses, _settled, _prefetched.Ranges, _copies.ByValue, touched, passed * repeat.Stride);
                iteration += passed;
                states.Clear();
                if (iteration >= repeat.Count)
                    return;
            }
            else
            {
                states.Add(state, iteration);
            }
            Walk(repeat.Body, repeat.FirstLayer + (iteration * repeat.Stride));
        }
    }

    private static IEnumerable<string> TensorsOf(EquatableArray<PlanNode> body) => body.SelectMany(n => n is Repeat r
        ? TensorsOf(r.Body)
        : ((Instruction)n).Reads.Concat(((Instruction)n).Writes).Where(t => t.Layer.Kind == LayerIndexKind.Relative).Select(t => t.Tensor));

    private void Step(Instruction instruction, int layer)
    {
        Steps++;
        var stream = Bit(instruction.Stream);
        if (_countsPrefetchesOnly)
        {
            if (instruction.Operation is PrefetchOperation)
                _prefetched.Begin(instruction, layer, stream);
            else
                ConsumePrefetched(instruction, layer, stream);
            _prefetched.ForgetRead();
            return;
        }
        foreach (var wait in instruction.Waits)
        {
            if (!_signalled.Contains(wait))
            {
                Fault(PlanFaultKind.Event, instruction, layer, $"waits for '{wait}', which nothing above signals");
                return;
            }
            Learn(stream, Bit(_events[wait]));
        }

        if (instruction.Operation is PrefetchOperation)
        {
            _prefetched.Begin(instruction, layer, stream);
            if (_prefetched.HeldBytes is var held && held > _plan.PrefetchRoomBytes)
                Fault(PlanFaultKind.PrefetchRoom, instruction, layer, $"brings the bytes prefetched and not provably read to {held}, and there is room for {_plan.PrefetchRoomBytes}");
        }
        else
        {
            if (instruction.Operation is AttentionOperation)
                CheckCoverage(instruction, layer);
            foreach (var read in instruction.Reads)
                CheckRead(instruction, read, layer, stream);
            foreach (var write in instruction.Writes)
                CheckWrite(instruction, write, layer, stream);
            ConsumePrefetched(instruction, layer, stream);
            Record(instruction, layer, stream);
            _copies.Note(instruction, layer);
            if (instruction.Operation is AttentionOperation)
                Forget(instruction, layer);
        }
        if (instruction.Signals)
            Signal(instruction.Label, stream);
        Settle();
    }

    /// <summary>What the event knows, the stream now knows.</summary>
    private void Learn(ulong stream, ulong @event)
    {
        foreach (var access in _accesses)
            access.KnownTo |= (access.KnownTo & @event) != 0 ? stream : 0;
        foreach (var bytes in _prefetched.Ranges)
            bytes.KnownTo |= (bytes.KnownTo & @event) != 0 ? stream : 0;
    }

    /// <summary>What the stream knows, the event now knows, and only that: its earlier signal counts no more.</summary>
    private void Signal(string label, ulong stream)
    {
        var @event = Bit(_events[label]);
        foreach (var access in _accesses)
            access.KnownTo = (access.KnownTo & stream) != 0 ? access.KnownTo | @event : access.KnownTo & ~@event;
        foreach (var bytes in _prefetched.Ranges)
            bytes.KnownTo = (bytes.KnownTo & stream) != 0 ? bytes.KnownTo | @event : bytes.KnownTo & ~@event;
        _signalled.Add(label);
    }

    private void CheckRead(Instruction instruction, TensorReference read, int repeatLayer, ulong stream)
    {
        if (_places.Of(read) is not { } place)
            return;
        var layer = read.Layer.Resolve(repeatLayer);
        if (_places[read.Tensor].Role == TensorRole.KeyValues)
        {
            // Entries of earlier steps stand; new ones must have been stored.
            var fresh = _places.FreshFrom(read.Tensor);
            if (place.End > fresh && !_settled.Contains((read.Tensor, layer)) && !IsStored(read.Tensor, layer, Math.Max(place.Begin, fresh), place.End, stream))
                Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads the new entries of '{read.Tensor}' of layer {layer} before they are stored");
            return;
        }
        if (_settled.Contains((read.Tensor, layer)))
            return;
        var last = LastWrite(read.Tensor, layer, stream);
        if (last < 0)
        {
            Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads '{read.Tensor}' of layer {layer} before it is written");
            return;
        }
        var write = _accesses[last];
        if (FirstOver(place, read.Tensor, layer, isWrite: true, from: last + 1) is { } later)
            Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads '{read.Tensor}' of layer {layer} where '{later.Tensor}' of layer {later.Layer} has overwritten it");
        else if (write.Racing.Count > 0)
            Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads '{read.Tensor}' of layer {layer} where '{write.Racing[0].Tensor}' of layer {write.Racing[0].Layer} may come to lie");
    }

    private void CheckWrite(Instruction instruction, TensorReference write, int repeatLayer, ulong stream)
    {
        var layer = write.Layer.Resolve(repeatLayer);
        if (_places.Of(write) is not { } place)
            return;
        if (_places[write.Tensor].Role == TensorRole.KeyValues)
        {
            if (place.Begin != _places.FreshFrom(write.Tensor) || place.End != _places.UnitsOf(write.Tensor))
                Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, $"stores [{place.Begin}, {place.End}) of '{write.Tensor}', and the new entries are from {_places.FreshFrom(write.Tensor)}");
            return;
        }
        if (_places[write.Tensor].OnHost)
            return;
        if (ResultOver(place, write.Tensor, layer) is { } result)
            Fault(PlanFaultKind.Overwrite, instruction, repeatLayer, $"writes '{write.Tensor}' of layer {layer} over the result '{result}'");
        if (FirstOver(place, write.Tensor, layer, isWrite: false, unknownTo: stream) is { } reader)
            Fault(PlanFaultKind.Overwrite, instruction, repeatLayer, $"writes '{write.Tensor}' of layer {layer} over '{reader.Tensor}' of layer {reader.Layer}, which may still be read");
    }

    /// <summary>A result that stands and lies over the bytes of a value, or null.</summary>
    private string? ResultOver((long Begin, long End) place, string tensor, int layer)
    {
        foreach (var result in _results)
        {
            if (result == tensor || _places[result].Offset >= place.End || place.Begin >= _places[result].Offset + _places.BytesOf(result))
                continue;
            if (_settled.Any(s => s.Tensor == result) || _accesses.Exists(a => a.IsWrite && a.Tensor == result))
                return result;
        }
        return null;
    }

    /// <summary>Whether a write that the stream knows of stored the tokens of a cache.</summary>
    private bool IsStored(string cache, int layer, long begin, long end, ulong stream)
    {
        foreach (var access in _accesses)
        {
            if (access.IsWrite && access.IsOf(cache, layer) && access.Begin <= begin && access.End >= end && (access.KnownTo & stream) != 0)
                return true;
        }
        return false;
    }

    /// <summary>The last write of a value that the stream knows of, or -1.</summary>
    private int LastWrite(string tensor, int layer, ulong stream)
    {
        for (var i = _accesses.Count - 1; i >= 0; i--)
        {
            if (_accesses[i] is { IsWrite: true } access && access.IsOf(tensor, layer) && (access.KnownTo & stream) != 0)
                return i;
        }
        return -1;
    }

    /// <summary>The first access, from one on, of another value over the bytes of this one, that a stream does not know of.</summary>
    private MemoryAccess? FirstOver((long Begin, long End) place, string tensor, int layer, bool isWrite, int from = 0, ulong unknownTo = 0)
    {
        for (var i = from; i < _accesses.Count; i++)
        {
            var access = _accesses[i];
            if (access.IsWrite == isWrite && access.LiesOver(place, tensor, layer) && (access.KnownTo & unknownTo) == 0)
                return access;
        }
        return null;
    }

    private void CheckCoverage(Instruction instruction, int repeatLayer)
    {
        var reads = instruction.Reads.Select(r => _copies.Of(r, repeatLayer)).OfType<CachedEntries>().Where(e => _places[e.Tensor].Role == TensorRole.KeyValues).ToList();
        if (reads.Count == 0)
            Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, "reads no entries of a KV-cache");
        foreach (var cache in reads.GroupBy(r => (r.Tensor, r.Layer)))
        {
            var next = 0L;
            foreach (var entries in cache.Where(e => e.End > e.Begin).OrderBy(e => e.Begin).ThenBy(e => e.End))
            {
                if (entries.Begin != next)
                    Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, $"reads [{entries.Begin}, {entries.End}) of '{cache.Key.Tensor}' where [{next}, ...) comes next");
                next = entries.End;
            }
            var units = _places.UnitsOf(cache.Key.Tensor);
            if (next != units)
                Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, $"reads {next} of the {units} attended tokens of '{cache.Key.Tensor}'");
        }
    }

    private void ConsumePrefetched(Instruction instruction, int layer, ulong stream)
    {
        foreach (var read in instruction.Reads)
            _prefetched.Consume(read, layer, stream);
    }

    private void Record(Instruction instruction, int repeatLayer, ulong stream)
    {
        foreach (var read in instruction.Reads)
        {
            if (_places[read.Tensor].Role == TensorRole.Value && _places.Of(read) is { } place)
                _accesses.Add(new MemoryAccess(read.Tensor, read.Layer.Resolve(repeatLayer), place, isWrite: false, _places.IsInArena(read.Tensor)) { KnownTo = stream });
        }
        foreach (var write in instruction.Writes)
        {
            if (_places.Of(write) is not { } place)
                continue;
            // Entries that are stored in host memory are for later steps.
            if (_places[write.Tensor] is { Role: TensorRole.KeyValues, OnHost: true })
                continue;
            var access = new MemoryAccess(write.Tensor, write.Layer.Resolve(repeatLayer), place, isWrite: true, _places.IsInArena(write.Tensor)) { KnownTo = stream };
            if (access.IsInArena)
            {
                foreach (var other in _accesses)
                {
                    if (other.IsWrite && other.LiesOver(place, access.Tensor, access.Layer) && (other.KnownTo & stream) == 0)
                        access.Racing.Add(other);
                }
                _settled.RemoveWhere(s => !(s.Tensor == access.Tensor && s.Layer == access.Layer) && _places.IsInArena(s.Tensor)
                    && _places[s.Tensor].Offset < access.End && access.Begin < _places[s.Tensor].Offset + _places.BytesOf(s.Tensor));
            }
            _accesses.Add(access);
        }
    }

    /// <summary>A cache is attended to once in a step; nobody asks for its entries again.</summary>
    private void Forget(Instruction attention, int repeatLayer)
    {
        foreach (var read in attention.Reads)
        {
            var layer = read.Layer.Resolve(repeatLayer);
            _copies.Forget(read.Tensor, layer);
            if (_places[read.Tensor].Role != TensorRole.KeyValues)
                continue;
            _settled.Remove((read.Tensor, layer));
            _accesses.RemoveAll(a => a.IsOf(read.Tensor, layer));
        }
    }

    /// <summary>Forgets accesses that every stream knows to be done: nothing can come before them any more. Values that stand
    /// are kept by name.</summary>
    private void Settle()
    {
        for (var i = 0; i < _accesses.Count; i++)
        {
            var access = _accesses[i];
            if ((access.KnownTo & _accessingStreams) != _accessingStreams || access.Racing.Count > 0)
                continue;
            if (access.IsWrite && (!access.IsInArena || FirstOver((access.Begin, access.End), access.Tensor, access.Layer, isWrite: true, from: i + 1) is null))
                _settled.Add((access.Tensor, access.Layer));
            _accesses.RemoveAt(i--);
        }
    }

    private static ulong Bit(StreamKind stream) => 1UL << (int)stream;

    private static ulong Bit(int @event) => 1UL << @event;

    private void Fault(PlanFaultKind kind, Instruction instruction, int layer, string message) =>
        _faults.Add(new PlanFault(kind, instruction.Label, layer, _context, message));
}
