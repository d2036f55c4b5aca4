using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What a reader saves where bytes of a tensor lie in the L2: each of the first so many saves as much, and the others nothing.</summary>
/// <remarks>A reader draws hot and cold bytes one after the other, each at its own rate, while its own work goes on beside. The values
/// that it reads were written just before, and are in the L2 where they fit; what else it reads, and what it writes, passes between it and memory.</remarks>
/// <param name="Bytes">Bytes that save: all, or those behind which the reader's own work takes longer than its memory.</param>
/// <param name="PicosecondsPerByte">What each of them saves.</param>
internal readonly record struct ReaderSaving(double Bytes, double PicosecondsPerByte)
{
    /// <summary>A smaller part of the reader's time is none: where kernels compute and stream at once, each a little longer than alone, the L2 always
    /// saves something.</summary>
    private const int LeastShare = 2000;

    /// <summary>The saving of a reader on an otherwise idle machine.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="tensor">The tensor, which was not written just before.</param>
    /// <param name="bytes">Bytes of it.</param>
    /// <param name="laws">The cost laws of a device whose L2 is known.</param>
    /// <param name="context">The context.</param>
    public static ReaderSaving Of(GraphOperator reader, string tensor, long bytes, ICostLaws laws, int context)
    {
        var (read, written) = (reader.Reads.Sum(r => r.Bytes.At(context)), reader.Writes.Sum(w => w.Bytes.At(context)));
        var values = reader.Reads.Where(r => r.Tensor.Role == TensorRole.Value && r.Tensor.Name != tensor).Sum(r => r.Bytes.At(context));
        var standing = values <= (laws.Device.L2.CapacityMebibytes ?? 0) * (1 << 20) ? values : 0;
        var moved = read - standing + written;
        var demand = laws.Demand(reader.Operation, context, read, written);
        var saved = Saved(demand);
        return saved > 0 && saved >= Time(demand, hot: 0) / LeastShare && Saved(demand with { Flops = 0, LinkBytes = 0 }) / bytes is var perByte
            ? new ReaderSaving(saved / perByte, perByte)
            : default;

        double Saved(KernelDemand any) => Time(any, hot: 0) - Time(any, hot: bytes);

        double Time(KernelDemand any, long hot) => KernelTime.Picoseconds(any, standing + hot, moved - hot, laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond);
    }

    /// <summary>Picoseconds that so many bytes save where they save most.</summary>
    /// <param name="readers">The readers.</param>
    /// <param name="bytes">Bytes in the L2, of all together.</param>
    public static double Most(IEnumerable<ReaderSaving> readers, double bytes)
    {
        var saved = 0.0;
        foreach (var reader in readers.OrderByDescending(r => r.PicosecondsPerByte))
        {
            var hot = Math.Min(bytes, reader.Bytes);
            saved += hot * reader.PicosecondsPerByte;
            bytes -= hot;
        }
        return saved;
    }
}
