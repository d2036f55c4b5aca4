using System;

namespace Preserve;

/// <summary>Which bytes the L2 holds, by slot: one slot is a range of one tensor of one layer. Least recently used leaves first.</summary>
/// <remarks>
/// <para>A slot holds a number of bytes, not a set: of a range that is held in part, a reader finds the held part hot,
/// whichever it is.</para>
/// <para>Capacity is a curve and not a cliff. What is found depends on the bytes that were used since, the range's own among them (its
/// stack distance; R. L. Mattson et al., Evaluation techniques for storage hierarchies, 1970), by <see cref="ResidencyCurve"/>. Measured on an H100 with a
/// full-speed part of 37 MB: a matmul whose weight is resident is up to 1.75 times as fast as a cold one at 37 MB, 0.95 to 1.2 times at
/// 42 MB, and no faster at 50 MB.</para>
/// </remarks>
internal sealed class L2Residency
{
    private const int None = -1;

    private Slot[] _slots = [];
    private int[] _movedSlots = [];
    private long[] _movedBytes = [];
    private long _total;
    private int _newest = None;
    private int _oldest = None;

    /// <summary>Most bytes of which anything is found again; 0 where the L2 is unknown.</summary>
    public long CapacityBytes { get; private set; }

    /// <summary>Most bytes that are found again whole.</summary>
    public long FullBytes { get; private set; }

    /// <summary>Bytes held.</summary>
    public long TotalBytes => _total;

    /// <summary>Slots that hold bytes.</summary>
    public int Count { get; private set; }

    /// <summary>Empties the L2 and numbers slots from 0.</summary>
    /// <param name="slots">How many slots there are.</param>
    /// <param name="fullBytes">Most bytes that are found again whole.</param>
    /// <param name="capacityBytes">Most bytes of which anything is found again, <paramref name="fullBytes"/> or more.</param>
    public void Reset(int slots, long fullBytes, long capacityBytes)
    {
        if (slots > _slots.Length)
        {
            _slots = new Slot[slots];
        }
        else
        {
            for (var slot = _newest; slot != None; slot = _slots[slot].Older)
                _slots[slot].Resident = 0;
        }
        FullBytes = fullBytes;
        CapacityBytes = capacityBytes;
        _newest = _oldest = None;
        _total = 0;
        Count = 0;
    }

    /// <summary>Bytes that a slot holds, found again or not.</summary>
    public long Resident(int slot) => _slots[slot].Resident;

    /// <summary>Bytes of a slot that a reader finds now; marks it as used, if it holds anything.</summary>
    public long Read(int slot)
    {
        if (_slots[slot].Resident == 0)
            return 0;
        var hot = Hot(slot);
        Touch(slot);
        return hot;
    }

    /// <summary>Bytes of a slot that a reader finds now.</summary>
    public long Hot(int slot)
    {
        var held = _slots[slot].Resident;
        if (held == 0 || _total <= FullBytes)
            return held;
        var distance = DistanceOf(slot);
        return (long)(held * new ResidencyCurve(FullBytes, CapacityBytes).Share(distance));
    }

    /// <summary>Lets go of what a slot holds above <paramref name="bytes"/>.</summary>
    public void Keep(int slot, long bytes)
    {
        var lost = _slots[slot].Resident - bytes;
        if (lost <= 0)
            return;
        _slots[slot].Resident = bytes;
        _total -= lost;
        if (bytes == 0)
            Unlink(slot);
    }

    /// <summary>Marks a slot as used now, if it holds anything.</summary>
    public void Touch(int slot)
    {
        if (slot == _newest || _slots[slot].Resident == 0)
            return;
        Unlink(slot);
        Link(slot);
    }

    /// <summary>Lets bytes of a slot arrive, at most until it holds <paramref name="size"/>, and evicts what no longer fits.</summary>
    public void Add(int slot, long bytes, long size)
    {
        var held = _slots[slot].Resident;
        var added = Math.Min(bytes, Math.Min(size, CapacityBytes) - held);
        if (added <= 0)
        {
            Touch(slot);
            return;
        }
        if (held > 0)
            Unlink(slot);
        Link(slot);
        _slots[slot].Resident = held + added;
        _total += added;
        while (_total > CapacityBytes)
            Evict(_total - CapacityBytes);
    }

    /// <summary>Writes how many slots hold bytes, and which and how many, in the order of use. Returns the next free place.</summary>
    /// <param name="origin">The slot that slots of layers are counted from.</param>
    /// <param name="layerSlots">How many slots are those of layers; they are the first.</param>
    /// <param name="state">Where it is written.</param>
    /// <param name="at">The first free place.</param>
    public int WriteState(int origin, int layerSlots, long[] state, int at)
    {
        var slots = _slots;
        state[at++] = Count;
        for (var slot = _newest; slot != None; slot = slots[slot].Older)
        {
            state[at] = slot < layerSlots ? slot - origin : slot;
            state[at + 1] = slots[slot].Resident;
            at += 2;
        }
        return at;
    }

    /// <summary>Renames slots, in one go: what slot s held is held by <paramref name="shift"/> + s where it shifts.</summary>
    /// <param name="shift">How far.</param>
    /// <param name="shifting">How many slots shift; they are the first.</param>
    public void Shift(int shift, int shifting)
    {
        if (_movedSlots.Length < Count)
        {
            _movedSlots = new int[2 * Count];
            _movedBytes = new long[2 * Count];
        }
        var count = 0;
        for (var slot = _oldest; slot != None; slot = _slots[slot].Newer)
        {
            _movedSlots[count] = slot;
            _movedBytes[count++] = _slots[slot].Resident;
            _slots[slot].Resident = 0;
        }
        _newest = _oldest = None;
        Count = 0;
        for (var i = 0; i < count; i++)
        {
            var slot = _movedSlots[i];
            if (slot < shifting)
                slot += shift;
            Link(slot);
            _slots[slot].Resident = _movedBytes[i];
        }
    }

    /// <summary>Bytes used since a slot was, its own among them. Counted from both ends at once: what is read again is near one of them.</summary>
    private long DistanceOf(int slot)
    {
        long newer = 0, older = 0;
        for (int up = slot, down = slot; ;)
        {
            newer += _slots[up].Resident;
            up = _slots[up].Newer;
            if (up == None)
                return newer;
            down = _slots[down].Older;
            if (down == None)
                return _total - older;
            older += _slots[down].Resident;
        }
    }

    private void Evict(long bytes)
    {
        var slot = _oldest;
        var evicted = Math.Min(bytes, _slots[slot].Resident);
        _slots[slot].Resident -= evicted;
        _total -= evicted;
        if (_slots[slot].Resident == 0)
            Unlink(slot);
    }

    private void Link(int slot)
    {
        _slots[slot].Older = _newest;
        _slots[slot].Newer = None;
        if (_newest == None)
            _oldest = slot;
        else
            _slots[_newest].Newer = slot;
        _newest = slot;
        Count++;
    }

    private void Unlink(int slot)
    {
        var (older, newer) = (_slots[slot].Older, _slots[slot].Newer);
        if (newer == None)
            _newest = older;
        else
            _slots[newer].Older = older;
        if (older == None)
            _oldest = newer;
        else
            _slots[older].Newer = newer;
        Count--;
    }

    private struct Slot
    {
        public long Resident;
        public int Newer;
        public int Older;
    }
}
