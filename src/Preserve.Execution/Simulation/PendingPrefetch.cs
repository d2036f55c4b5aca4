using System;

namespace Preserve;

/// <summary>What a running prefetch has yet to bring: slots in order, of which a prefix has arrived.</summary>
internal sealed class PendingPrefetch
{
    private int[] _segments = [];
    private int[] _slots = [];
    private long[] _missing = [];
    private int _count;
    private int _next;
    private long _arrived;

    /// <summary>Bytes that were missing when it began.</summary>
    public long MissingBytes { get; private set; }

    public void Clear()
    {
        _count = _next = 0;
        _arrived = MissingBytes = 0;
    }

    public void Add(int segment, int slot, long missing)
    {
        if (_count == _slots.Length)
        {
            var size = Math.Max(2 * _count, 8);
            Array.Resize(ref _segments, size);
            Array.Resize(ref _slots, size);
            Array.Resize(ref _missing, size);
        }
        _segments[_count] = segment;
        _slots[_count] = slot;
        _missing[_count++] = missing;
        MissingBytes += missing;
    }

    /// <summary>Bytes of a slot that it has yet to bring.</summary>
    public long MissingOf(int slot)
    {
        var missing = 0L;
        for (var i = _next; i < _count; i++)
        {
            if (_slots[i] == slot)
                missing += _missing[i];
        }
        return missing;
    }

    /// <summary>Makes resident what has arrived since the last call.</summary>
    /// <param name="bytesLeft">Bytes that have not arrived.</param>
    /// <param name="l2">Where they arrive.</param>
    /// <param name="segmentBytes">Bytes of each segment.</param>
    public void Arrive(double bytesLeft, L2Contents l2, long[] segmentBytes)
    {
        // A byte has arrived when all of it has.
        var arrived = MissingBytes - Picoseconds.Ceiling(Math.Max(bytesLeft, 0));
        var fresh = arrived - _arrived;
        _arrived = Math.Max(arrived, _arrived);
        while (fresh > 0 && _next < _count)
        {
            var part = Math.Min(fresh, _missing[_next]);
            l2.Arrive(_slots[_next], part, segmentBytes[_segments[_next]]);
            fresh -= part;
            _missing[_next] -= part;
            if (_missing[_next] == 0)
                _next++;
        }
    }

    /// <summary>Writes what is pending, slots of layers counted from <paramref name="origin"/>. Returns the next free place.</summary>
    public int WriteState(int origin, int layerSlots, long[] state, int at)
    {
        state[at++] = _count - _next;
        state[at++] = MissingBytes - _arrived;
        for (var i = _next; i < _count; i++)
        {
            state[at++] = _slots[i] < layerSlots ? _slots[i] - origin : _slots[i];
            state[at++] = _missing[i];
        }
        return at;
    }

    /// <summary>Most places that <see cref="WriteState"/> needs.</summary>
    public int StateLength => 2 + (2 * _count);

    /// <summary>Renames slots of layers.</summary>
    public void Shift(int shift, int layerSlots)
    {
        for (var i = _next; i < _count; i++)
        {
            if (_slots[i] < layerSlots)
                _slots[i] += shift;
        }
    }
}
