namespace Preserve.Cpu;

/// <summary>Copies between host and device: bytes, whatever they mean.</summary>
internal static unsafe class Transfer
{
    /// <summary>Copies all that is read, in order, to all that is written.</summary>
    public static void Copy(ReadOnlySpan<Operand> reads, ReadOnlySpan<Operand> writes)
    {
        var (to, done) = (0, 0L);
        foreach (var read in reads)
        {
            for (var at = 0L; at < read.Bytes;)
            {
                while (to < writes.Length && done == writes[to].Bytes)
                    (to, done) = (to + 1, 0);
                if (to == writes.Length)
                    throw new InvalidOperationException($"more is copied from '{read.Tensor.Name}' than there is room for");
                var bytes = Math.Min(read.Bytes - at, writes[to].Bytes - done);
                Buffer.MemoryCopy(read.Start + at, writes[to].Start + done, bytes, bytes);
                (at, done) = (at + bytes, done + bytes);
            }
        }
    }
}
