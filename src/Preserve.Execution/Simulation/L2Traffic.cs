namespace Preserve;

/// <summary>What passes through the L2 in a step: what instructions read and write, and what prefetches bring, as it arrives.</summary>
/// <param name="sizes">The plan's sizes.</param>
/// <param name="resources">How far the prefetches are.</param>
/// <param name="contents">What the L2 holds.</param>
internal sealed class L2Traffic(PlanAtContext sizes, ResourceSimulation resources, L2Contents contents)
{
    private const int Streams = ResourceSimulation.StreamCount;

    private readonly PendingPrefetch[] _pending = NonePending();

    /// <summary>Streams on which a prefetch brings bytes, one bit each.</summary>
    private int _active;

    /// <summary>What the L2 holds.</summary>
    public L2Contents Contents => contents;

    /// <summary>Most places that <see cref="WriteState"/> needs.</summary>
    public int StateLength
    {
        get
        {
            var most = contents.StateLength;
            foreach (var pending in _pending)
                most += pending.StateLength;
            return most;
        }
    }

    /// <summary>Begins a step: nothing is being brought.</summary>
    public void BeginStep() => _active = 0;

    /// <summary>Lets what an instruction reads and writes pass: what is resident of the reads is hot; then everything read or written is resident, as far as it
    /// fits.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="layer">Its layer.</param>
    /// <param name="late">Bytes of the reads that a prefetch is still to bring.</param>
    /// <returns>Hot bytes.</returns>
    public long Pass(int instruction, int layer, out long late)
    {
        late = 0;
        if (!contents.IsKnown)
            return 0;
        var hot = 0L;
        var begin = sizes.ReadsBegin(instruction);
        var readsEnd = sizes.ReadsEnd(instruction);
        var end = sizes.WritesEnd(instruction);
        // All reads are marked as used before the first of them evicts anything.
        for (var i = begin; i < readsEnd; i++)
        {
            var slot = sizes.Touched[i].SlotAt(layer);
            hot += contents.Read(slot);
            if (_active != 0)
                late += _pending[(int)StreamKind.Prefetch].MissingOf(slot);
        }
        for (var i = begin; i < end; i++)
        {
            ref var touched = ref sizes.Touched[i];
            contents.Pass(touched.SlotAt(layer), touched.Bytes);
        }
        return hot;
    }

    /// <summary>Begins a prefetch: lists what is missing, which becomes resident as it arrives.</summary>
    /// <param name="stream">Its stream.</param>
    /// <param name="instruction">The instruction.</param>
    /// <param name="layer">Its layer.</param>
    /// <returns>Bytes that are missing.</returns>
    public long BeginPrefetch(int stream, int instruction, int layer)
    {
        var pending = _pending[stream];
        pending.Clear();
        _active |= 1 << stream;
        for (var i = sizes.ReadsBegin(instruction); i < sizes.ReadsEnd(instruction); i++)
        {
            ref var touched = ref sizes.Touched[i];
            var slot = touched.SlotAt(layer);
            var missing = touched.Bytes - contents.BeginPrefetch(slot);
            if (missing > 0)
                pending.Add(touched.Segment, slot, missing);
        }
        return pending.MissingBytes;
    }

    /// <summary>Makes resident what prefetches have brought by now.</summary>
    public void Arrive()
    {
        for (int s = 0, active = _active; active != 0; s++, active >>= 1)
        {
            if ((active & 1) != 0)
                _pending[s].Arrive(resources.ColdLeft(s), contents, sizes.SegmentBytes);
        }
    }

    /// <summary>Makes the rest of a stream's prefetch resident, if one runs there.</summary>
    public void End(int stream)
    {
        if ((_active & (1 << stream)) == 0)
            return;
        _pending[stream].Arrive(0, contents, sizes.SegmentBytes);
        _active &= ~(1 << stream);
    }

    /// <summary>Writes what is held and what is being brought, slots of layers counted from <paramref name="origin"/>. Returns the next free place.</summary>
    /// <param name="origin">The slot that slots of layers are counted from.</param>
    /// <param name="state">Where it is written.</param>
    /// <param name="at">The first free place.</param>
    public int WriteState(int origin, long[] state, int at)
    {
        for (int s = 0, active = _active; active != 0; s++, active >>= 1)
        {
            if ((active & 1) != 0)
                at = _pending[s].WriteState(origin, sizes.LayerSlots, state, at);
        }
        return contents.WriteState(origin, sizes.LayerSlots, state, at);
    }

    /// <summary>Renames slots of layers: what slot s held, or is to hold, is slot <paramref name="shift"/> + s's.</summary>
    public void Shift(int shift)
    {
        for (int s = 0, active = _active; active != 0; s++, active >>= 1)
        {
            if ((active & 1) != 0)
                _pending[s].Shift(shift, sizes.LayerSlots);
        }
        contents.Shift(shift, sizes.LayerSlots);
    }

    private static PendingPrefetch[] NonePending()
    {
        var pending = new PendingPrefetch[Streams];
        for (var s = 0; s < Streams; s++)
            pending[s] = new PendingPrefetch();
        return pending;
    }
}
