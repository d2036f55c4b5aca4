using System;

namespace Preserve;

/// <summary>The sizes of a compiled plan at one context: segments of tensors, what instructions touch, and their demands.
/// Its arrays are used again for the next context.</summary>
internal sealed class PlanAtContext
{
    private readonly CompiledPlan _plan;
    private readonly int[] _firstSegment;
    private readonly long[] _values;
    private readonly int[] _ranks;
    private readonly int[] _firstSlot;
    private readonly int[] _begin;
    private readonly int[] _readsEnd;
    private readonly int[] _end;
    private bool _isSet;
    private ICostLaws? _laws;
    private int _context;

    public PlanAtContext(CompiledPlan plan)
    {
        _plan = plan;
        var tensors = plan.Cuts.Length;
        _firstSegment = new int[tensors];
        var segments = 0;
        var mostCuts = 0;
        for (var t = 0; t < tensors; t++)
        {
            _firstSegment[t] = segments;
            segments += plan.Cuts[t].Length - 1;
            mostCuts = Math.Max(mostCuts, plan.Cuts[t].Length);
        }
        SegmentBytes = new long[segments];
        _firstSlot = NumberSlots(segments);
        _values = new long[mostCuts];
        _ranks = new int[segments + tensors];

        var instructions = plan.Instructions.Length;
        _begin = new int[instructions];
        _readsEnd = new int[instructions];
        _end = new int[instructions];
        Demands = new KernelDemand[instructions];
        IsIdle = new bool[instructions];
        WrittenBytes = new long[instructions];
        ReadBytes = new long[instructions];
        var touched = 0;
        for (var i = 0; i < instructions; i++)
        {
            _begin[i] = touched;
            touched += Most(plan.Reads[i]) + Most(plan.Writes[i]);
        }
        Touched = new TouchedSegment[touched];

        int Most(CompiledReference[] references)
        {
            var most = 0;
            foreach (var reference in references)
                most += plan.Cuts[reference.Tensor].Length - 1;
            return most;
        }
    }

    /// <summary>Slots of one layer in the L2: one for each segment of a tensor that lies elsewhere in every layer.</summary>
    public int SlotsPerLayer { get; private set; }

    /// <summary>Slots of all layers: those of layer 0, those of layer 1 and so on, so that slots are counted from any layer and no two meet.</summary>
    public int LayerSlots => SlotsPerLayer * _plan.Layers;

    /// <summary>All slots: those of the layers, then one for each segment of another tensor.</summary>
    public int Slots { get; private set; }

    public long[] SegmentBytes { get; }

    /// <summary>Segments that instructions touch, those of one instruction together: first what it reads, then what it writes.</summary>
    public TouchedSegment[] Touched { get; }

    public KernelDemand[] Demands { get; }

    /// <summary>Instructions that have nothing to do at this context: copies of no bytes, and recomputations of no tokens, which read no weight.</summary>
    public bool[] IsIdle { get; }

    /// <summary>Bytes read by instruction, lookups included.</summary>
    public long[] ReadBytes { get; }

    public long[] WrittenBytes { get; }

    public int ReadsBegin(int instruction) => _begin[instruction];

    public int ReadsEnd(int instruction) => _readsEnd[instruction];

    public int WritesEnd(int instruction) => _end[instruction];

    /// <summary>Sets the context and the laws. What does not depend on them is worked out the first time only, as a part of compiling the plan.</summary>
    public void Set(int context, ICostLaws laws)
    {
        var lawsChange = !ReferenceEquals(laws, _laws);
        var contextChanges = !_isSet || context != _context;
        (_laws, _context) = (laws, context);
        for (var t = 0; t < _plan.Cuts.Length && contextChanges; t++)
        {
            if (!_isSet || _plan.TensorVaries[t])
                SetSegments(t, context);
        }
        for (var i = 0; i < _plan.Instructions.Length; i++)
        {
            var varies = contextChanges && (!_isSet || _plan.InstructionVaries[i]);
            if (varies)
                SetTouched(i);
            if (varies || lawsChange)
                SetDemand(i);
        }
        _isSet = true;
    }

    /// <summary>Sets what depends on the cuts of a tensor, which have moved since <see cref="Set"/>.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="touching">The instructions that touch it.</param>
    public void Recut(int tensor, int[] touching)
    {
        SetSegments(tensor, _context);
        foreach (var instruction in touching)
        {
            var (read, written) = (ReadBytes[instruction], WrittenBytes[instruction]);
            SetTouched(instruction);
            // A reader of the whole tensor demands what it did: only where its bytes lie has changed.
            if (read != ReadBytes[instruction] || written != WrittenBytes[instruction])
                SetDemand(instruction);
        }
    }

    private void SetTouched(int instruction)
    {
        var at = _begin[instruction];
        long looked = 0, read = 0, written = 0;
        IsIdle[instruction] = _plan.Instructions[instruction].Operation is RecomputeOperation again && again.Tokens.At(_context) == 0;
        if (IsIdle[instruction])
        {
            _readsEnd[instruction] = _end[instruction] = at;
            ReadBytes[instruction] = WrittenBytes[instruction] = 0;
            return;
        }
        foreach (var reference in _plan.Reads[instruction])
        {
            if (reference.LookupBytes >= 0)
                looked += reference.LookupBytes;
            else
                read += Touch(reference, ref at);
        }
        _readsEnd[instruction] = at;
        foreach (var reference in _plan.Writes[instruction])
            written += Touch(reference, ref at);
        _end[instruction] = at;
        ReadBytes[instruction] = looked + read;
        WrittenBytes[instruction] = written;
        IsIdle[instruction] = _plan.Kinds[instruction] == InstructionKind.Transfer && looked + read + written == 0;
    }

    private void SetDemand(int instruction) => Demands[instruction] =
        _laws!.Demand(_plan.Instructions[instruction].Operation, _context, ReadBytes[instruction], WrittenBytes[instruction]);

    /// <summary>Sorts a tensor's cuts at this context; between neighbours lies a segment, which may be empty.</summary>
    private void SetSegments(int tensor, int context)
    {
        var cuts = _plan.Cuts[tensor];
        var declaration = _plan.Plan.Tensors[tensor];
        var units = Math.Max(declaration.Units.At(context), 0);
        var ranks = _firstSegment[tensor] + tensor;
        for (var i = 0; i < cuts.Length; i++)
        {
            var value = Math.Min(Math.Max(cuts[i].At(context), 0), units);
            _values[i] = value;
            var rank = 0;
            for (var j = 0; j < i; j++)
            {
                if (_values[j] <= value)
                    rank++;
                else
                    _ranks[ranks + j]++;
            }
            _ranks[ranks + i] = rank;
        }
        var segments = _firstSegment[tensor];
        for (var i = 0; i < cuts.Length; i++)
        {
            var rank = _ranks[ranks + i];
            if (rank > 0)
                SegmentBytes[segments + rank - 1] = _values[i];
        }
        var before = 0L;
        for (var s = segments; s < segments + cuts.Length - 1; s++)
        {
            var end = SegmentBytes[s];
            SegmentBytes[s] = (end - before) * declaration.UnitBytes;
            before = end;
        }
    }

    /// <summary>Gives every segment a slot; of those per layer, that in layer 0.</summary>
    private int[] NumberSlots(int segments)
    {
        var slots = new int[segments];
        for (var t = 0; t < _plan.Cuts.Length; t++)
        {
            for (var i = 0; i < _plan.Cuts[t].Length - 1 && _plan.TensorPerLayer[t]; i++)
                slots[_firstSegment[t] + i] = SlotsPerLayer++;
        }
        Slots = LayerSlots;
        for (var t = 0; t < _plan.Cuts.Length; t++)
        {
            for (var i = 0; i < _plan.Cuts[t].Length - 1 && !_plan.TensorPerLayer[t]; i++)
                slots[_firstSegment[t] + i] = Slots++;
        }
        return slots;
    }

    private long Touch(CompiledReference reference, ref int at)
    {
        var tensor = reference.Tensor;
        var ranks = _firstSegment[tensor] + tensor;
        var bytes = 0L;
        var perLayer = reference.Layer.Kind == LayerIndexKind.None ? 0 : SlotsPerLayer;
        var offset = perLayer * reference.Layer.Value;
        var end = _firstSegment[tensor] + _ranks[ranks + reference.EndCut];
        for (var segment = _firstSegment[tensor] + _ranks[ranks + reference.BeginCut]; segment < end; segment++)
        {
            if (SegmentBytes[segment] == 0)
                continue;
            bytes += SegmentBytes[segment];
            Touched[at++] = new TouchedSegment(
                segment, _firstSlot[segment] + offset, reference.Layer.Kind == LayerIndexKind.Absolute ? 0 : perLayer, SegmentBytes[segment]);
        }
        return bytes;
    }
}

/// <summary>A segment that an instruction touches.</summary>
/// <param name="Segment">The segment.</param>
/// <param name="FirstSlot">Its slot, where layer i of the repeat around is 0.</param>
/// <param name="SlotsPerLayer">How many slots further it is for each layer more.</param>
/// <param name="Bytes">Its bytes.</param>
internal readonly record struct TouchedSegment(int Segment, int FirstSlot, int SlotsPerLayer, long Bytes)
{
    /// <summary>Its slot, where layer i of the repeat around is <paramref name="repeatLayer"/>.</summary>
    public int SlotAt(int repeatLayer) => FirstSlot + (SlotsPerLayer * repeatLayer);
}
