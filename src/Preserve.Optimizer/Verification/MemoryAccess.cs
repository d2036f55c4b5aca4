using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>A read or write of bytes that others may overwrite, and who knows that it is done.</summary>
/// <remarks>Knowledge is a set of streams and events: bit s for "ends before the next instruction of stream s", and one bit per
/// event for "ends before the event's last signal". It stands for a vector clock, but has the same value in every iteration of
/// a repeat, so that states can be compared.</remarks>
internal sealed class MemoryAccess(string tensor, int layer, (long Begin, long End) place, bool isWrite, bool isInArena)
{
    public string Tensor { get; } = tensor;

    public int Layer { get; set; } = layer;

    /// <summary>First byte in the arena; first token of a KV-cache.</summary>
    public long Begin { get; } = place.Begin;

    public long End { get; } = place.End;

    public bool IsWrite { get; } = isWrite;

    public bool IsInArena { get; } = isInArena;

    public ulong KnownTo { get; set; }

    /// <summary>For a write: earlier writes of other values to the same bytes that may yet come after it.</summary>
    public List<MemoryAccess> Racing { get; } = [];

    public bool IsOf(string tensor, int layer) => Layer == layer && Tensor == tensor;

    /// <summary>Whether this is an access of another value than the one of the tensor and layer, to bytes of its place in the arena.</summary>
    public bool LiesOver((long Begin, long End) place, string tensor, int layer) =>
        IsInArena && Begin < place.End && place.Begin < End && !IsOf(tensor, layer);
}

/// <summary>Entries [<paramref name="Begin"/>, <paramref name="End"/>) of a layer's cache, in tokens.</summary>
internal sealed record CachedEntries(string Tensor, int Layer, long Begin, long End);

/// <summary>Prefetched bytes, and who knows that they are read.</summary>
internal sealed class Outstanding(string tensor, int layer, long begin, long end)
{
    public string Tensor { get; } = tensor;

    public int Layer { get; set; } = layer;

    public long Begin { get; } = begin;

    public long End { get; } = end;

    /// <summary>Whether an instruction above has read them; <see cref="KnownTo"/> then tells who knows that it is done.</summary>
    public bool IsRead { get; set; }

    public ulong KnownTo { get; set; }
}
