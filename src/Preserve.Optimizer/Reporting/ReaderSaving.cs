using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What a reader saves where bytes of it lie in the L2: each of the first so many saves as much, and the others nothing.</summary>
/// <remarks>A reader draws hot and cold bytes one after the other, each at its own rate, while its own work goes on beside.</remarks>
/// <param name="Bytes">Bytes that save: all, or those behind which the reader's own work takes longer than its memory.</param>
/// <param name="PicosecondsPerByte">What each of them saves.</param>
internal readonly record struct ReaderSaving(double Bytes, double PicosecondsPerByte)
{
    /// <summary>The saving of a reader on an otherwise idle machine.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="bytes">Bytes that it reads.</param>
    /// <param name="laws">The cost laws of a device whose L2 is known.</param>
    /// <param name="context">The context.</param>
    public static ReaderSaving Of(Operation reader, long bytes, ICostLaws laws, int context)
    {
        var demand = laws.Demand(reader, context, bytes, 0);
        var perByte = Saved(demand with { Flops = 0, LinkBytes = 0 }) / bytes;
        return perByte > 0 ? new ReaderSaving(Saved(demand) / perByte, perByte) : default;

        double Saved(KernelDemand any) =>
            KernelTime.Picoseconds(any, 0, bytes, laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond)
            - KernelTime.Picoseconds(any, bytes, 0, laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond);
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
