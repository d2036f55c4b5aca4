namespace Preserve;

/// <summary>The cost laws of one device: what each operation demands of the machine's resources.</summary>
/// <remarks>Handed in, never reached for: laws with calibrated constants take the place of nominal ones without a change to
/// the executor, the passes or the plan. An implementation uses + - x / sqrt, min and max only, so that every runtime gets
/// the same times, and allocates nothing per call.</remarks>
public interface ICostLaws
{
    /// <summary>The device whose laws these are.</summary>
    Device Device { get; }

    /// <summary>Fixed cost of each wait for an event of another stream, in picoseconds, 0 or more.</summary>
    long EventPicoseconds { get; }

    /// <summary>Bytes that memory moves per picosecond, all traffic together.</summary>
    double HbmBytesPerPicosecond { get; }

    /// <summary>Bytes that the L2 gives per picosecond, all readers together; the rate of memory where it is not known.</summary>
    double L2BytesPerPicosecond { get; }

    /// <summary>What an operation demands beside its memory traffic, and the rates that its kernel can draw. It depends on the context
    /// by the operation's amounts and the bytes alone.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="context">The context of the step, in tokens, 0 or more.</param>
    /// <param name="readBytes">Bytes that it reads, or prefetches, wherever they are.</param>
    /// <param name="writtenBytes">Bytes that it writes.</param>
    KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes);

    /// <summary>How a collective is done at its size, of the methods that its law chooses among.</summary>
    /// <param name="operation">The collective; what shares its kernel has no part in it.</param>
    CollectiveMethod MethodOf(CollectiveOperation operation);

    /// <summary>Where measured times of an operation lie about its law's; null where its law is not calibrated.</summary>
    /// <param name="operation">The operation.</param>
    ResidualBand? Band(Operation operation);
}
