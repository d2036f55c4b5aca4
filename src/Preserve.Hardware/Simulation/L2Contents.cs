using System;

namespace Preserve;

/// <summary>What the L2 holds: the part that all traffic shares, and beside it, where one is set aside, the part that only prefetches fill.</summary>
/// <remarks>A set-aside takes its bytes from the shared part. What is prefetched into it stays until it is read, whatever passes through the
/// shared part meanwhile; what finds no room there goes to the shared part (NVIDIA, CUDA C++ Programming Guide, "L2 Cache Set-Aside for
/// Persisting Accesses"). Once read it belongs to the shared part.</remarks>
internal sealed class L2Contents
{
    private readonly L2Residency _shared = new();
    private readonly L2Residency _aside = new();
    private bool _isSetAside;

    /// <summary>Whether the L2 is known: nothing is held otherwise.</summary>
    public bool IsKnown => _shared.CapacityBytes > 0 || _isSetAside;

    /// <summary>Most places that <see cref="WriteState"/> needs.</summary>
    public int StateLength => 2 + (2 * (_shared.Count + _aside.Count));

    /// <summary>Empties the L2 and numbers slots from 0.</summary>
    /// <param name="slots">How many slots there are.</param>
    /// <param name="device">The device.</param>
    public void Reset(int slots, Device device)
    {
        var setAsideBytes = device.SetAsideBytes;
        _shared.Reset(slots, Math.Max(device.PrefetchRoomBytes - setAsideBytes, 0), Math.Max(device.L2LimitBytes - setAsideBytes, 0));
        _isSetAside = setAsideBytes > 0;
        _aside.Reset(_isSetAside ? slots : 0, setAsideBytes, setAsideBytes);
    }

    /// <summary>Bytes of a slot that a reader finds now; marks them as used.</summary>
    public long Read(int slot)
    {
        var hot = _shared.Read(slot);
        if (_isSetAside)
        {
            hot += _aside.Hot(slot);
            _aside.Keep(slot, 0);
        }
        return hot;
    }

    /// <summary>Lets a slot be held whole, after a kernel has read or written all of it.</summary>
    public void Pass(int slot, long bytes) => _shared.Add(slot, bytes, bytes);

    /// <summary>Bytes of a slot that a prefetch finds; it lets go of what it does not, which it reads anew.</summary>
    public long BeginPrefetch(int slot)
    {
        _shared.Keep(slot, _shared.Hot(slot));
        _shared.Touch(slot);
        return _shared.Resident(slot) + (_isSetAside ? _aside.Resident(slot) : 0);
    }

    /// <summary>Lets prefetched bytes of a slot arrive, at most until it holds <paramref name="size"/>.</summary>
    public void Arrive(int slot, long bytes, long size)
    {
        if (_isSetAside)
        {
            var held = _shared.Resident(slot) + _aside.Resident(slot);
            var kept = Math.Min(Math.Min(bytes, size - held), _aside.CapacityBytes - _aside.TotalBytes);
            if (kept > 0)
                _aside.Add(slot, kept, _aside.Resident(slot) + kept);
            bytes -= Math.Max(kept, 0);
            size -= _aside.Resident(slot);
        }
        if (bytes > 0)
            _shared.Add(slot, bytes, size);
    }

    /// <summary>Writes all that is held, in the order of use, slots of layers counted from <paramref name="origin"/>. Returns the next free place.</summary>
    /// <param name="origin">The slot that slots of layers are counted from.</param>
    /// <param name="layerSlots">How many slots are those of layers; they are the first.</param>
    /// <param name="state">Where it is written.</param>
    /// <param name="at">The first free place.</param>
    public int WriteState(int origin, int layerSlots, long[] state, int at)
    {
        at = _shared.WriteState(origin, layerSlots, state, at);
        return _aside.WriteState(origin, layerSlots, state, at);
    }

    /// <summary>Renames slots, in one go: what slot s held is held by <paramref name="shift"/> + s where it shifts.</summary>
    /// <param name="shift">How far.</param>
    /// <param name="shifting">How many slots shift; they are the first.</param>
    public void Shift(int shift, int shifting)
    {
        _shared.Shift(shift, shifting);
        if (_isSetAside)
            _aside.Shift(shift, shifting);
    }
}
