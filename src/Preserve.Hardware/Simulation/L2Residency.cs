using System;

namespace Preserve;

/// <summary>Which bytes the L2 holds, by slot: one slot is a range of one tensor of one layer. Least recently used leaves first.</summary>
/// <remarks>
/// <para>A slot holds a number of bytes, not a set: of a range that is held in part, a reader finds the held part hot,
/// whichever it is.</para>
/// <para>Capacity is a curve and not a cliff. What is found depends on the bytes that were used since, the range's own among them (its
/// stack distance; R. L. Mattson et al., Evaluation techniques for storage hierarchies, 1970): up to the full-speed part of the L2 all of
/// it, from there on evenly less, and nothing from a third more on. Measured on an H100 with a full-speed part of 37 MB: a matmul whose
/// weight is resident is up to 1.75 times as fast as a cold one at 37 MB, 0.95 to 1.2 times at 42 MB, and no faster at 50 MB.</para>
/// </remarks>
internal sealed class L2Residency
{
    private const int None = -1;

    private long[] _resident = [];
    private int[] _newer = [];
    private int[] _older = [];
    private int[] _movedSlots = [];
    private long[] _movedBytes = [];
    private long _total;
    private int _oldest = None;

    /// <summary>Most bytes of which anything is found again; 0 where the L2 is unknown.</summary>
    public long CapacityBytes { get; private set; }

    /// <summary>Most bytes that are found again whole.</summary>
    public long FullBytes { get; private set; }

    /// <summary>The slot used last, or -1.</summary>
    public int Newest { get; private set; } = None;

    /// <summary>Slots that hold bytes.</summary>
    public int Count { get; private set; }

    /// <summary>Empties the L2 and numbers slots from 0.</summary>
    /// <param name="slots">How many slots there are.</param>
    /// <param name="fullBytes">Most bytes that are found again whole.</param>
    /// <param name="capacityBytes">Most bytes of which anything is found again, <paramref name="fullBytes"/> or more.</param>
    public void Reset(int slots, long fullBytes, long capacityBytes)
    {
        if (slots > _resident.Length)
        {
            _resident = new long[slots];
            _newer = new int[slots];
            _older = new int[slots];
        }
        else
        {
            for (var slot = Newest; slot != None; slot = _older[slot])
                _resident[slot] = 0;
        }
        FullBytes = fullBytes;
        CapacityBytes = capacityBytes;
        Newest = _oldest = None;
        _total = 0;
        Count = 0;
    }

    /// <summary>The slot used before this one, or -1.</summary>
    public int Older(int slot) => _older[slot];

    /// <summary>Bytes that a slot holds, found again or not.</summary>
    public long Resident(int slot) => _resident[slot];

    /// <summary>Bytes of a slot that a reader finds now.</summary>
    public long Hot(int slot)
    {
        var held = _resident[slot];
        if (held == 0 || _total <= FullBytes)
            return held;
        var distance = DistanceOf(slot);
        return distance <= FullBytes ? held : (long)(held * ((double)(CapacityBytes - distance) / (CapacityBytes - FullBytes)));
    }

    /// <summary>Lets go of what a slot holds above <paramref name="bytes"/>.</summary>
    public void Keep(int slot, long bytes)
    {
        var lost = _resident[slot] - bytes;
        if (lost <= 0)
            return;
        _resident[slot] = bytes;
        _total -= lost;
        if (bytes == 0)
            Unlink(slot);
    }

    /// <summary>Marks a slot as used now, if it holds anything.</summary>
    public void Touch(int slot)
    {
        if (slot == Newest || _resident[slot] == 0)
            return;
        Unlink(slot);
        Link(slot);
    }

    /// <summary>Lets bytes of a slot arrive, at most until it holds <paramref name="size"/>, and evicts what no longer fits.</summary>
    public void Add(int slot, long bytes, long size)
    {
        var held = _resident[slot];
        var added = Math.Min(bytes, Math.Min(size, CapacityBytes) - held);
        if (added <= 0)
        {
            Touch(slot);
            return;
        }
        if (held > 0)
            Unlink(slot);
        Link(slot);
        _resident[slot] = held + added;
        _total += added;
        while (_total > CapacityBytes)
            Evict(_total - CapacityBytes);
    }

    /// <summary>Renames slots, in one go: what slot s held is held by <paramref name="shift"/> + s where it shifts.</summary>
    /// <param name="shift">How far.</param>
    /// <param name="slotsPerSegment">Slots of a segment.</param>
    /// <param name="segmentShifts">Whether the slots of a segment shift.</param>
    public void Shift(int shift, int slotsPerSegment, bool[] segmentShifts)
    {
        if (_movedSlots.Length < Count)
        {
            _movedSlots = new int[_resident.Length];
            _movedBytes = new long[_resident.Length];
        }
        var count = 0;
        for (var slot = _oldest; slot != None; slot = _newer[slot])
        {
            _movedSlots[count] = slot;
            _movedBytes[count++] = _resident[slot];
            _resident[slot] = 0;
        }
        Newest = _oldest = None;
        Count = 0;
        for (var i = 0; i < count; i++)
        {
            var slot = _movedSlots[i];
            if (segmentShifts[slot / slotsPerSegment])
                slot += shift;
            Link(slot);
            _resident[slot] = _movedBytes[i];
        }
    }

    /// <summary>Bytes used since a slot was, its own among them. Counted from both ends at once: what is read again is near one of them.</summary>
    private long DistanceOf(int slot)
    {
        long newer = 0, older = 0;
        for (int up = slot, down = slot; ;)
        {
            newer += _resident[up];
            up = _newer[up];
            if (up == None)
                return newer;
            down = _older[down];
            if (down == None)
                return _total - older;
            older += _resident[down];
        }
    }

    private void Evict(long bytes)
    {
        var slot = _oldest;
        var evicted = Math.Min(bytes, _resident[slot]);
        _resident[slot] -= evicted;
        _total -= evicted;
        if (_resident[slot] == 0)
            Unlink(slot);
    }

    private void Link(int slot)
    {
        _older[slot] = Newest;
        _newer[slot] = None;
        if (Newest == None)
            _oldest = slot;
        else
            _newer[Newest] = slot;
        Newest = slot;
        Count++;
    }

    private void Unlink(int slot)
    {
        var (older, newer) = (_older[slot], _newer[slot]);
        if (newer == None)
            Newest = older;
        else
            _older[newer] = older;
        if (older == None)
            _oldest = newer;
        else
            _newer[older] = newer;
        Count--;
    }
}
