using System.Runtime.CompilerServices;

namespace Preserve.Cpu;

/// <summary>A prefetch on the processor: reads a byte of every cache line, so that the lines are in the cache that the cores share.</summary>
internal static unsafe class CacheLines
{
    private const int LineBytes = 64;

    /// <summary>Touches every line of some operands. A read of another core's data changes nothing of it.</summary>
    public static void Touch(ReadOnlySpan<Operand> operands)
    {
        foreach (var operand in operands)
            Read(operand.Start, operand.Bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Read(byte* start, long bytes)
    {
        // The sum is handed back, so that no compiler leaves the reads out.
        var sum = 0;
        // The first line may begin before the operand: the others are counted from their own beginnings.
        for (var at = 0L; at < bytes; at += LineBytes - (long)((nuint)(start + at) % LineBytes))
            sum += Volatile.Read(ref start[at]);
        return sum;
    }
}
