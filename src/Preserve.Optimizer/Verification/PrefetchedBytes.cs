using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Bytes that were prefetched and are not yet known to be read.</summary>
/// <param name="places">Where tensors lie at the context.</param>
internal sealed class PrefetchedBytes(TensorPlaces places)
{
    /// <summary>The ranges, in the order in which they were prefetched.</summary>
    public List<Outstanding> Ranges { get; } = [];

    /// <summary>Bytes that they hold together: those of overlapping ranges once.</summary>
    public long HeldBytes => Ranges.GroupBy(o => (o.Tensor, o.Layer)).Sum(UnionOf);

    /// <summary>Adds what an instruction prefetches, after what its stream knows to be read has left.</summary>
    /// <param name="prefetch">The instruction.</param>
    /// <param name="repeatLayer">Layer i of the repeat around it.</param>
    /// <param name="stream">Its stream, as a bit.</param>
    public void Begin(Instruction prefetch, int repeatLayer, ulong stream)
    {
        Ranges.RemoveAll(o => o.IsRead && (o.KnownTo & stream) != 0);
        foreach (var read in prefetch.Reads)
        {
            // A table is looked up, as by a kernel: nobody waits for it in the L2.
            var (begin, end) = places.Bytes(read);
            if (end > begin && places[read.Tensor].Role != TensorRole.BlockTable)
                Ranges.Add(new Outstanding(read.Tensor, read.Layer.Resolve(repeatLayer), begin, end));
        }
    }

    /// <summary>The first reader of prefetched bytes consumes them.</summary>
    /// <param name="read">What it reads.</param>
    /// <param name="repeatLayer">Layer i of the repeat around it.</param>
    /// <param name="stream">Its stream, as a bit.</param>
    public void Consume(TensorReference read, int repeatLayer, ulong stream)
    {
        var layer = read.Layer.Resolve(repeatLayer);
        var (begin, end) = places.Bytes(read);
        foreach (var bytes in Ranges)
        {
            if (bytes.IsRead || bytes.Tensor != read.Tensor || bytes.Layer != layer || bytes.Begin >= end || begin >= bytes.End)
                continue;
            bytes.IsRead = true;
            bytes.KnownTo = stream;
        }
    }

    /// <summary>Forgets what was read, whoever knows of it.</summary>
    public void ForgetRead() => Ranges.RemoveAll(o => o.IsRead);

    private static long UnionOf(IEnumerable<Outstanding> ranges)
    {
        var (total, covered) = (0L, 0L);
        foreach (var range in ranges.OrderBy(r => r.Begin))
        {
            total += Math.Max(0, range.End - Math.Max(range.Begin, covered));
            covered = Math.Max(covered, range.End);
        }
        return total;
    }
}
