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
    private readonly NumberedPlan _plan;
    private readonly int _context;
    private readonly TensorPlaces _places;
    private readonly ProofState _state;
    private readonly List<PlanFault> _faults = [];

    public StepProof(NumberedPlan plan, int context)
    {
        _plan = plan;
        _context = context;
        _places = new TensorPlaces(plan, context);
        _state = new ProofState(_places, new CopiedEntries(plan, _places, context));
    }

    /// <summary>Whether the walk only looks for what is left of the prefetches at the end of a step.</summary>
    private bool _countsPrefetchesOnly;

    /// <summary>Instructions walked.</summary>
    public int Steps { get; private set; }

    public IReadOnlyList<PlanFault> Prove()
    {
        if (_plan.EventCount > NumberedPlan.MostEvents)
            return [new PlanFault(PlanFaultKind.Event, "", 0, _context, $"{_plan.EventCount} events are more than the {NumberedPlan.MostEvents} that can be proved")];
        // What the step before prefetched and did not read is still there when this one begins.
        _countsPrefetchesOnly = true;
        if (_plan.Prefetches)
            Walk(_plan.Body, 0);
        _state.Prefetched.ForgetRead();
        _countsPrefetchesOnly = false;
        Steps = 0;
        Walk(_plan.Body, 0);
        return _faults;
    }

    private void Walk(NumberedNode[] body, int layer)
    {
        foreach (var node in body)
        {
            if (_faults.Count > 0)
                return;
            if (node is NumberedRepeat repeat)
                WalkRepeat(repeat);
            else
                Step((NumberedInstruction)node, layer);
        }
    }

    private void WalkRepeat(NumberedRepeat node)
    {
        var repeat = node.Text;
        var states = new Dictionary<EquatableArray<long>, int>();
        for (var iteration = 0; iteration < repeat.Count && _faults.Count == 0; iteration++)
        {
            var layer = repeat.FirstLayer + (iteration * repeat.Stride);
            var state = _state.Describe(node.Moving, layer);
            if (states.TryGetValue(state, out var before))
            {
                var period = iteration - before;
                var passed = (repeat.Count - iteration) / period * period;
                _state.Shift(node.Moving, passed * repeat.Stride);
                iteration += passed;
                states.Clear();
                if (iteration >= repeat.Count)
                    return;
            }
            else
            {
                states.Add(state, iteration);
            }
            Walk(node.Body, repeat.FirstLayer + (iteration * repeat.Stride));
        }
    }

    private void Step(NumberedInstruction instruction, int layer)
    {
        Steps++;
        if (_countsPrefetchesOnly)
        {
            if (instruction.Operation is PrefetchOperation)
                _state.Prefetched.Begin(instruction, layer);
            else
                _state.Prefetched.Consume(instruction, layer);
            _state.Prefetched.ForgetRead();
            return;
        }
        for (var i = 0; i < instruction.Waits.Length; i++)
        {
            if ((_state.Signalled & instruction.Waits[i]) == 0)
            {
                Fault(PlanFaultKind.Event, instruction, layer, $"waits for '{instruction.Text.Waits[i]}', which nothing above signals");
                return;
            }
            Learn(instruction.Stream, instruction.Waits[i]);
        }

        if (instruction.Operation is PrefetchOperation)
        {
            _state.Prefetched.Begin(instruction, layer);
            if (_state.Prefetched.HeldBytes is var held && held > _plan.Plan.PrefetchRoomBytes)
                Fault(PlanFaultKind.PrefetchRoom, instruction, layer, $"brings the bytes prefetched and not provably read to {held}, and there is room for {_plan.Plan.PrefetchRoomBytes}");
        }
        else
        {
            if (instruction.Operation is AttentionOperation)
                CheckCoverage(instruction, layer);
            foreach (var read in instruction.Reads)
                CheckRead(instruction, read, layer);
            foreach (var write in instruction.Writes)
                CheckWrite(instruction, write, layer);
            _state.Prefetched.Consume(instruction, layer);
            Record(instruction, layer);
            _state.Copies.Note(instruction, layer);
            if (instruction.Operation is AttentionOperation)
                Forget(instruction, layer);
        }
        if (instruction.Signal != 0)
            Signal(instruction.Signal, instruction.Stream);
        Settle();
    }

    /// <summary>What the event knows, the stream now knows.</summary>
    private void Learn(ulong stream, ulong @event)
    {
        foreach (var access in _state.Accesses)
            access.KnownTo |= (access.KnownTo & @event) != 0 ? stream : 0;
        foreach (var bytes in _state.Prefetched.Ranges)
            bytes.KnownTo |= (bytes.KnownTo & @event) != 0 ? stream : 0;
    }

    /// <summary>What the stream knows, the event now knows, and only that: its earlier signal counts no more.</summary>
    private void Signal(ulong @event, ulong stream)
    {
        foreach (var access in _state.Accesses)
            access.KnownTo = (access.KnownTo & stream) != 0 ? access.KnownTo | @event : access.KnownTo & ~@event;
        foreach (var bytes in _state.Prefetched.Ranges)
            bytes.KnownTo = (bytes.KnownTo & stream) != 0 ? bytes.KnownTo | @event : bytes.KnownTo & ~@event;
        _state.Signalled |= @event;
    }

    private void CheckRead(NumberedInstruction instruction, NumberedReference read, int repeatLayer)
    {
        if (_places.Of(read) is not { } place)
            return;
        var value = read.At(repeatLayer);
        if (_places[value.Tensor].Role == TensorRole.KeyValues)
        {
            // Entries of earlier steps stand; new ones must have been stored.
            var fresh = _places.FreshFrom(value.Tensor);
            if (place.End > fresh && !_state.Settled.Contains(value) && !IsStored(value, Math.Max(place.Begin, fresh), place.End, instruction.Stream))
                Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads the new entries of {Name(value)} before they are stored");
            return;
        }
        if (_state.Settled.Contains(value))
            return;
        var last = LastWrite(value, instruction.Stream);
        if (last < 0)
        {
            Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads {Name(value)} before it is written");
            return;
        }
        if (FirstOver(place, value, isWrite: true, from: last + 1) is { } later)
            Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads {Name(value)} where {Name(later.Value)} has overwritten it");
        else if (_state.Accesses[last].Racing is { } racing)
            Fault(PlanFaultKind.Read, instruction, repeatLayer, $"reads {Name(value)} where {Name(racing[0].Value)} may come to lie");
    }

    private void CheckWrite(NumberedInstruction instruction, NumberedReference write, int repeatLayer)
    {
        if (_places.Of(write) is not { } place)
            return;
        var value = write.At(repeatLayer);
        var tensor = _places[value.Tensor];
        if (tensor.Role == TensorRole.KeyValues)
        {
            if (place.Begin != _places.FreshFrom(value.Tensor) || place.End != _places.UnitsOf(value.Tensor))
                Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, $"stores [{place.Begin}, {place.End}) of '{tensor.Name}', and the new entries are from {_places.FreshFrom(value.Tensor)}");
            return;
        }
        if (tensor.OnHost)
            return;
        if (ResultOver(place, value.Tensor) is { } result)
            Fault(PlanFaultKind.Overwrite, instruction, repeatLayer, $"writes {Name(value)} over the result '{_places[result].Name}'");
        if (FirstOver(place, value, isWrite: false, unknownTo: instruction.Stream) is { } reader)
            Fault(PlanFaultKind.Overwrite, instruction, repeatLayer, $"writes {Name(value)} over {Name(reader.Value)}, which may still be read");
    }

    /// <summary>A result that stands and lies over the bytes of a value, or null.</summary>
    private int? ResultOver((long Begin, long End) place, int tensor)
    {
        foreach (var result in _plan.Results)
        {
            if (result != tensor && _places.LiesOver(result, place) && IsWritten(result))
                return result;
        }
        return null;
    }

    private bool IsWritten(int tensor) =>
        _state.Settled.Any(s => s.Tensor == tensor) || _state.Accesses.Exists(a => a.IsWrite && a.Value.Tensor == tensor);

    /// <summary>Whether a write that the stream knows of stored the tokens of a cache.</summary>
    private bool IsStored(TensorOfLayer cache, long begin, long end, ulong stream)
    {
        foreach (var access in _state.Accesses)
        {
            if (access.IsWrite && access.Value == cache && access.Begin <= begin && access.End >= end && (access.KnownTo & stream) != 0)
                return true;
        }
        return false;
    }

    /// <summary>The last write of a value that the stream knows of, or -1.</summary>
    private int LastWrite(TensorOfLayer value, ulong stream)
    {
        for (var i = _state.Accesses.Count - 1; i >= 0; i--)
        {
            if (_state.Accesses[i] is { IsWrite: true } access && access.Value == value && (access.KnownTo & stream) != 0)
                return i;
        }
        return -1;
    }

    /// <summary>The first access, from one on, of another value over the bytes of this one, that a stream does not know of.</summary>
    private MemoryAccess? FirstOver((long Begin, long End) place, TensorOfLayer value, bool isWrite, int from = 0, ulong unknownTo = 0)
    {
        for (var i = from; i < _state.Accesses.Count; i++)
        {
            var access = _state.Accesses[i];
            if (access.IsWrite == isWrite && access.LiesOver(place, value) && (access.KnownTo & unknownTo) == 0)
                return access;
        }
        return null;
    }

    private void CheckCoverage(NumberedInstruction instruction, int repeatLayer)
    {
        var reads = new List<CachedEntries>(instruction.Reads.Length);
        foreach (var read in instruction.Reads)
        {
            if (_state.Copies.Of(read, repeatLayer) is { } entries && _places[entries.Cache.Tensor].Role == TensorRole.KeyValues)
                reads.Add(entries);
        }
        if (reads.Count == 0)
            Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, "reads no entries of a KV-cache");
        foreach (var cache in reads.GroupBy(r => r.Cache))
        {
            var (next, units, name) = (0L, _places.UnitsOf(cache.Key.Tensor), _places[cache.Key.Tensor].Name);
            foreach (var entries in cache.Where(e => e.End > e.Begin).OrderBy(e => e.Begin).ThenBy(e => e.End))
            {
                if (entries.Begin != next)
                    Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, $"reads [{entries.Begin}, {entries.End}) of '{name}' where [{next}, ...) comes next");
                next = entries.End;
            }
            if (next != units)
                Fault(PlanFaultKind.KeyValueRange, instruction, repeatLayer, $"reads {next} of the {units} attended tokens of '{name}'");
        }
    }

    private void Record(NumberedInstruction instruction, int repeatLayer)
    {
        foreach (var read in instruction.Reads)
        {
            if (_places[read.Tensor].Role == TensorRole.Value && _places.Of(read) is { } place)
                _state.Accesses.Add(new MemoryAccess(read.At(repeatLayer), place, isWrite: false, _plan.IsInArena(read.Tensor)) { KnownTo = instruction.Stream });
        }
        foreach (var write in instruction.Writes)
        {
            if (_places.Of(write) is not { } place)
                continue;
            // Entries that are stored in host memory are for later steps.
            if (_places[write.Tensor] is { Role: TensorRole.KeyValues, OnHost: true })
                continue;
            var access = new MemoryAccess(write.At(repeatLayer), place, isWrite: true, _plan.IsInArena(write.Tensor)) { KnownTo = instruction.Stream };
            if (access.IsInArena)
            {
                foreach (var other in _state.Accesses)
                {
                    if (other.IsWrite && other.LiesOver(place, access.Value) && (other.KnownTo & instruction.Stream) == 0)
                        access.RacesWith(other);
                }
                _state.Settled.RemoveWhere(s => s != access.Value && _plan.IsInArena(s.Tensor) && _places.LiesOver(s.Tensor, place));
            }
            _state.Accesses.Add(access);
        }
    }

    /// <summary>A cache is attended to once in a step; nobody asks for its entries again.</summary>
    private void Forget(NumberedInstruction attention, int repeatLayer)
    {
        foreach (var read in attention.Reads)
        {
            var value = read.At(repeatLayer);
            _state.Copies.Forget(value);
            if (_places[read.Tensor].Role != TensorRole.KeyValues)
                continue;
            _state.Settled.Remove(value);
            _state.Accesses.RemoveAll(a => a.Value == value);
        }
    }

    /// <summary>Forgets accesses that every stream knows to be done: nothing can come before them any more. Values that stand
    /// are kept by name.</summary>
    private void Settle()
    {
        var accesses = _state.Accesses;
        var kept = 0;
        for (var i = 0; i < accesses.Count; i++)
        {
            var access = accesses[i];
            if ((access.KnownTo & _plan.AccessingStreams) != _plan.AccessingStreams || access.Racing is not null)
                accesses[kept++] = access;
            else if (access.IsWrite && (!access.IsInArena || FirstOver((access.Begin, access.End), access.Value, isWrite: true, from: i + 1) is null))
                _state.Settled.Add(access.Value);
        }
        accesses.RemoveRange(kept, accesses.Count - kept);
    }

    private string Name(TensorOfLayer value) => $"'{_places[value.Tensor].Name}' of layer {value.Layer}";

    private void Fault(PlanFaultKind kind, NumberedInstruction instruction, int layer, string message) =>
        _faults.Add(new PlanFault(kind, instruction.Text.Label, layer, _context, message));
}
