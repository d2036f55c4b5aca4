using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>A read or write of bytes that others may overwrite, and who knows that it is done.</summary>
/// <remarks>Knowledge is a set of streams and events: bit s for "ends before the next instruction of stream s", and one bit per
/// event for "ends before the event's last signal". It stands for a vector clock, but has the same value in every iteration of
/// a repeat, so that states can be compared.</remarks>
internal sealed class MemoryAccess(TensorOfLayer value, (long Begin, long End) place, bool isWrite, bool isInArena)
{
    public TensorOfLayer Value { get; set; } = value;

    /// <summary>First byte in the arena; first token of a KV-cache.</summary>
    public long Begin { get; } = place.Begin;

    public long End { get; } = place.End;

    public bool IsWrite { get; } = isWrite;

    public bool IsInArena { get; } = isInArena;

    public ulong KnownTo { get; set; }

    /// <summary>For a write: earlier writes of other values to the same bytes that may yet come after it.</summary>
    public List<MemoryAccess>? Racing { get; private set; }

    /// <summary>Whether this is an access of another value, to bytes of a place in the arena.</summary>
    public bool LiesOver((long Begin, long End) place, TensorOfLayer value) =>
        IsInArena && Begin < place.End && place.Begin < End && Value != value;

    /// <summary>Notes an earlier write that may yet come after this one.</summary>
    public void RacesWith(MemoryAccess other) => (Racing ??= []).Add(other);
}

/// <summary>Entries [<paramref name="Begin"/>, <paramref name="End"/>) of a layer's cache, in tokens.</summary>
internal readonly record struct CachedEntries(TensorOfLayer Cache, long Begin, long End);

/// <summary>Prefetched bytes, and who knows that they are read.</summary>
internal sealed class Outstanding(TensorOfLayer tensor, long begin, long end)
{
    public TensorOfLayer Tensor { get; set; } = tensor;

    public long Begin { get; } = begin;

    public long End { get; } = end;

    /// <summary>Whether an instruction above has read them; <see cref="KnownTo"/> then tells who knows that it is done.</summary>
    public bool IsRead { get; set; }

    public ulong KnownTo { get; set; }
}
