using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Which entries of a KV-cache, or of the activations that they are made from, values are copies of.</summary>
/// <param name="plan">The plan.</param>
/// <param name="places">Where tensors lie at the context.</param>
/// <param name="context">The context.</param>
internal sealed class CopiedEntries(NumberedPlan plan, TensorPlaces places, int context)
{
    private readonly Dictionary<TensorOfLayer, CachedEntries> _entries = [];

    /// <summary>The copies, by value and layer.</summary>
    public IReadOnlyDictionary<TensorOfLayer, CachedEntries> ByValue => _entries;

    /// <summary>Forgets all copies.</summary>
    public void Clear() => _entries.Clear();

    /// <summary>Forgets what a value is a copy of.</summary>
    public void Forget(TensorOfLayer value) => _entries.Remove(value);

    /// <summary>Moves what the body of a repeat touches on by some layers.</summary>
    /// <param name="moving">Whether a tensor moves on with the layers, by tensor.</param>
    /// <param name="layers">How many.</param>
    public void Shift(bool[] moving, int layers)
    {
        var entries = _entries.ToList();
        _entries.Clear();
        foreach (var copy in entries)
            _entries.Add(copy.Key.Moved(moving, layers), copy.Value with { Cache = copy.Value.Cache.Moved(moving, layers) });
    }

    /// <summary>The entries of a cache that a reference reads: its own, or those that the value is a copy of.</summary>
    public CachedEntries? Of(NumberedReference reference, int repeatLayer)
    {
        if (places[reference.Tensor].Role is TensorRole.KeyValues or TensorRole.Activations)
        {
            var (begin, end) = places.Units(reference);
            return new CachedEntries(reference.At(repeatLayer), begin, end);
        }
        return _entries.TryGetValue(reference.At(repeatLayer), out var entries) ? entries : null;
    }

    /// <summary>The entries that are made again from copied activations: those of the same tokens, in the layer's own cache.</summary>
    private CachedEntries? MadeAgain(NumberedInstruction instruction, RecomputeOperation recompute, int repeatLayer)
    {
        foreach (var read in instruction.Reads)
        {
            if (Of(read, repeatLayer) is not { } entries || places[entries.Cache.Tensor] is not { Role: TensorRole.Activations } activations)
                continue;
            var made = checked(recompute.Sequences * recompute.Tokens.At(context));
            // All of a token's activations, and not the part that one rank brought, nor a part of what was brought.
            var value = places[read.Tensor];
            if (read.Range is not null || made * value.Format.CachedBytes(recompute.Depth) != places.BytesOf(read.Tensor))
                return null;
            // A recomputation rotates keys at the positions from 0 on.
            return plan.Find(PlanStructure.KindOf(activations.Name) + "kv" + BatchNames.SuffixOf(activations.Name)) is { } cache && places[cache] is var of
                && entries.Begin == 0 && entries.End == recompute.Tokens.At(context)
                && made * 2 * of.Format.CachedBytes(recompute.Columns / 2) == (entries.End - entries.Begin) * of.UnitBytes
                && instruction.Writes is [var write] && IsWhole(write, entries, of) && write.Layer.Resolve(repeatLayer) == entries.Cache.Layer
                ? entries with { Cache = entries.Cache with { Tensor = cache } } : null;
        }
        return null;
    }

    /// <summary>Whether a value is as large as the entries that it is to hold, and all of it is meant.</summary>
    private bool IsWhole(NumberedReference value, CachedEntries entries, TensorDeclaration of) =>
        value.Range is null && places.BytesOf(value.Tensor) == (entries.End - entries.Begin) * of.UnitBytes;

    /// <summary>After a copy its two ends hold the same entries; whatever else is written is no copy.</summary>
    public void Note(NumberedInstruction instruction, int repeatLayer)
    {
        var made = instruction.Operation is RecomputeOperation recompute ? MadeAgain(instruction, recompute, repeatLayer) : null;
        foreach (var write in instruction.Writes)
            _entries.Remove(write.At(repeatLayer));
        if (instruction is { Operation: CollectiveOperation { Kind: CollectiveKind.AllGather }, Reads: [var parts], Writes: [_] })
            made = Of(parts, repeatLayer);
        if (made is { } known && instruction.Writes is [var result])
        {
            _entries[result.At(repeatLayer)] = known;
            // Activations are brought for one reader.
            foreach (var read in instruction.Reads)
                _entries.Remove(read.At(repeatLayer));
        }
        if (instruction is not { Operation: TransferOperation, Reads: [var from], Writes: [var to] })
            return;
        NoteCopy(to, from, repeatLayer);
        // Nobody asks for the activations that a value went to the host as.
        if (Of(to, repeatLayer) is { } held && places[held.Cache.Tensor].Role != TensorRole.Activations)
            NoteCopy(from, to, repeatLayer);
    }

    private void NoteCopy(NumberedReference value, NumberedReference other, int repeatLayer)
    {
        if (places[value.Tensor].Role == TensorRole.Value && Of(other, repeatLayer) is { } entries && IsWhole(value, entries, places[entries.Cache.Tensor]))
            _entries[value.At(repeatLayer)] = entries;
    }
}
