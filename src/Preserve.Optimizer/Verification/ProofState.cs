using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What a proof knows between two instructions. Of it what the tensors of a repeat's body touch moves on with the layers, the rest stays.</summary>
/// <param name="places">Where tensors lie at the context.</param>
/// <param name="copies">What the values are copies of.</param>
internal sealed class ProofState(TensorPlaces places, CopiedEntries copies)
{
    private readonly List<long> _words = [];

    /// <summary>Accesses that something may yet come before, in program order.</summary>
    public List<MemoryAccess> Accesses { get; } = [];

    /// <summary>Values that stand, and new entries that are stored, for all streams.</summary>
    public HashSet<TensorOfLayer> Settled { get; } = [];

    /// <summary>What is prefetched.</summary>
    public PrefetchedBytes Prefetched { get; } = new(places);

    /// <summary>What the values are copies of.</summary>
    public CopiedEntries Copies { get; } = copies;

    /// <summary>Events that were signalled, one bit each.</summary>
    public ulong Signalled { get; set; }

    /// <summary>The state in words, relative to a layer: two states are the same where their words are.</summary>
    /// <param name="moving">Whether a tensor moves on with the layers, by tensor.</param>
    /// <param name="layer">The layer.</param>
    public EquatableArray<long> Describe(bool[] moving, int layer)
    {
        _words.Clear();
        _words.Add(Accesses.Count);
        foreach (var access in Accesses)
        {
            Add(access.Value);
            _words.Add(access.Begin);
            _words.Add(access.End);
            _words.Add(unchecked((long)access.KnownTo));
            _words.Add(access.Racing is { } racing ? racing.Count : access.IsWrite ? 0 : -1);
            foreach (var other in access.Racing ?? [])
                Add(other.Value);
        }
        _words.Add(Settled.Count);
        foreach (var settled in Settled)
            Add(settled);
        _words.Sort(_words.Count - Settled.Count, Settled.Count, null);
        foreach (var bytes in Prefetched.Ranges)
        {
            Add(bytes.Tensor);
            _words.Add(bytes.Begin);
            _words.Add(bytes.End);
            _words.Add(bytes.IsRead ? 1 : 0);
            _words.Add(unchecked((long)bytes.KnownTo));
        }
        _words.Add(Prefetched.Ranges.Count);
        _words.Add(unchecked((long)Signalled));
        foreach (var copy in Copies.ByValue.OrderBy(c => c.Key.Tensor).ThenBy(c => c.Key.Layer))
        {
            Add(copy.Key);
            Add(copy.Value.Cache);
            _words.Add(copy.Value.Begin);
            _words.Add(copy.Value.End);
        }
        return _words.ToArray();

        void Add(TensorOfLayer tensor)
        {
            var (number, at) = tensor.Moved(moving, -layer);
            _words.Add(((long)number << 32) | (uint)at);
        }
    }

    /// <summary>Moves what the body touches on by some layers.</summary>
    /// <param name="moving">Whether a tensor moves on with the layers, by tensor.</param>
    /// <param name="layers">How many.</param>
    public void Shift(bool[] moving, int layers)
    {
        foreach (var access in Accesses.SelectMany(a => (a.Racing ?? []).Append(a)).Distinct())
            access.Value = access.Value.Moved(moving, layers);
        foreach (var bytes in Prefetched.Ranges)
            bytes.Tensor = bytes.Tensor.Moved(moving, layers);
        var settled = Settled.ToList();
        Settled.Clear();
        Settled.UnionWith(settled.Select(s => s.Moved(moving, layers)));
        Copies.Shift(moving, layers);
    }
}
