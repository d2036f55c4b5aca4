using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Bytes that were prefetched and are not yet known to be read.</summary>
/// <param name="places">Where tensors lie at the context.</param>
internal sealed class PrefetchedBytes(TensorPlaces places)
{
    private readonly List<Outstanding> _byPlace = [];

    /// <summary>The ranges, in the order in which they were prefetched.</summary>
    public List<Outstanding> Ranges { get; } = [];

    /// <summary>Bytes that they hold together: those of overlapping ranges once.</summary>
    public long HeldBytes
    {
        get
        {
            var (held, covered) = (0L, 0L);
            TensorOfLayer? of = null;
            _byPlace.Clear();
            _byPlace.AddRange(Ranges);
            _byPlace.Sort(Compare);
            foreach (var range in _byPlace)
            {
                covered = range.Tensor == of ? covered : 0;
                of = range.Tensor;
                held += Math.Max(0, range.End - Math.Max(range.Begin, covered));
                covered = Math.Max(covered, range.End);
            }
            return held;
        }
    }

    /// <summary>By tensor and layer, those of one by where they begin.</summary>
    private static int Compare(Outstanding one, Outstanding other)
    {
        var difference = one.Tensor.Tensor.CompareTo(other.Tensor.Tensor);
        if (difference == 0)
            difference = one.Tensor.Layer.CompareTo(other.Tensor.Layer);
        return difference != 0 ? difference : one.Begin.CompareTo(other.Begin);
    }

    /// <summary>Adds what an instruction prefetches, after what its stream knows to be read has left.</summary>
    /// <param name="prefetch">The instruction.</param>
    /// <param name="repeatLayer">Layer i of the repeat around it.</param>
    public void Begin(NumberedInstruction prefetch, int repeatLayer)
    {
        Ranges.RemoveAll(o => o.IsRead && (o.KnownTo & prefetch.Stream) != 0);
        foreach (var read in prefetch.Reads)
        {
            // A table is looked up, as by a kernel: nobody waits for it in the L2.
            var (begin, end) = places.Bytes(read);
            if (end > begin && places[read.Tensor].Role != TensorRole.BlockTable)
                Ranges.Add(new Outstanding(read.At(repeatLayer), begin, end));
        }
    }

    /// <summary>The first reader of prefetched bytes consumes them.</summary>
    /// <param name="reader">The instruction.</param>
    /// <param name="repeatLayer">Layer i of the repeat around it.</param>
    public void Consume(NumberedInstruction reader, int repeatLayer)
    {
        if (Ranges.Count == 0)
            return;
        foreach (var read in reader.Reads)
        {
            var tensor = read.At(repeatLayer);
            var (begin, end) = places.Bytes(read);
            foreach (var bytes in Ranges)
            {
                if (bytes.IsRead || bytes.Tensor != tensor || bytes.Begin >= end || begin >= bytes.End)
                    continue;
                bytes.IsRead = true;
                bytes.KnownTo = reader.Stream;
            }
        }
    }

    /// <summary>Forgets what was read, whoever knows of it.</summary>
    public void ForgetRead() => Ranges.RemoveAll(o => o.IsRead);
}
