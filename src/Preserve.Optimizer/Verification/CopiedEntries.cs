using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Which entries of a KV-cache, or of the activations that they are made from, values are copies of.</summary>
/// <param name="places">Where tensors lie at the context.</param>
/// <param name="context">The context.</param>
internal sealed class CopiedEntries(TensorPlaces places, int context)
{
    private readonly Dictionary<(string Tensor, int Layer), CachedEntries> _entries = [];

    /// <summary>The copies, by value and layer.</summary>
    public Dictionary<(string Tensor, int Layer), CachedEntries> ByValue => _entries;

    /// <summary>Forgets all copies.</summary>
    public void Clear() => _entries.Clear();

    /// <summary>Forgets what a value is a copy of.</summary>
    public void Forget(string tensor, int layer) => _entries.Remove((tensor, layer));

    /// <summary>The entries of a cache that a reference reads: its own, or those that the value is a copy of.</summary>
    public CachedEntries? Of(TensorReference reference, int repeatLayer)
    {
        var layer = reference.Layer.Resolve(repeatLayer);
        if (places[reference.Tensor].Role is TensorRole.KeyValues or TensorRole.Activations)
        {
            var (begin, end) = places.Units(reference);
            return new CachedEntries(reference.Tensor, layer, begin, end);
        }
        return _entries.TryGetValue((reference.Tensor, layer), out var entries) ? entries : null;
    }

    /// <summary>The entries that are made again from copied activations: those of the same tokens, in the layer's own cache.</summary>
    private CachedEntries? MadeAgain(Instruction instruction, RecomputeOperation recompute, int repeatLayer)
    {
        foreach (var read in instruction.Reads)
        {
            if (Of(read, repeatLayer) is not { } entries || places[entries.Tensor].Role != TensorRole.Activations)
                continue;
            var cache = PlanStructure.KindOf(entries.Tensor) + "kv" + BatchNames.SuffixOf(entries.Tensor);
            var made = checked(recompute.Sequences * recompute.Tokens.At(context));
            // All of a token's activations, and not the part that one rank brought, nor a part of what was brought.
            var value = places[read.Tensor];
            if (read.Range is not null || made * value.Format.CachedBytes(recompute.Depth) != places.BytesOf(read.Tensor))
                return null;
            // A recomputation rotates keys at the positions from 0 on.
            return places.Find(cache) is { } of && entries.Begin == 0 && entries.End == recompute.Tokens.At(context)
                && made * 2 * of.Format.CachedBytes(recompute.Columns / 2) == (entries.End - entries.Begin) * of.UnitBytes
                && instruction.Writes is { Count: 1 } writes && IsWhole(writes[0], entries, of) && writes[0].Layer.Resolve(repeatLayer) == entries.Layer
                ? entries with { Tensor = cache } : null;
        }
        return null;
    }

    /// <summary>Whether a value is as large as the entries that it is to hold, and all of it is meant.</summary>
    private bool IsWhole(TensorReference value, CachedEntries entries, TensorDeclaration of) =>
        value.Range is null && places.BytesOf(value.Tensor) == (entries.End - entries.Begin) * of.UnitBytes;

    /// <summary>After a copy its two ends hold the same entries; whatever else is written is no copy.</summary>
    public void Note(Instruction instruction, int repeatLayer)
    {
        var made = instruction.Operation is RecomputeOperation recompute ? MadeAgain(instruction, recompute, repeatLayer) : null;
        foreach (var write in instruction.Writes)
            _entries.Remove((write.Tensor, write.Layer.Resolve(repeatLayer)));
        if (instruction is { Operation: CollectiveOperation { Kind: CollectiveKind.AllGather }, Reads: { Count: 1 } parts, Writes.Count: 1 })
            made = Of(parts[0], repeatLayer);
        if (made is not null && instruction.Writes is { Count: 1 } results)
        {
            _entries[(results[0].Tensor, results[0].Layer.Resolve(repeatLayer))] = made;
            // Activations are brought for one reader.
            foreach (var read in instruction.Reads)
                _entries.Remove((read.Tensor, read.Layer.Resolve(repeatLayer)));
        }
        if (instruction is not { Operation: TransferOperation, Reads: { Count: 1 } reads, Writes: { Count: 1 } writes })
            return;
        foreach (var (value, other) in new[] { (writes[0], reads[0]), (reads[0], writes[0]) })
        {
            // Nobody asks for the activations that a value went to the host as.
            if (places[value.Tensor].Role == TensorRole.Value && Of(other, repeatLayer) is { } entries && IsWhole(value, entries, places[entries.Tensor])
                && !(value == reads[0] && places[entries.Tensor].Role == TensorRole.Activations))
            {
                _entries[(value.Tensor, value.Layer.Resolve(repeatLayer))] = entries;
            }
        }
    }
}
