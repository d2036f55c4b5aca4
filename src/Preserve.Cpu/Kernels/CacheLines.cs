using System.Runtime.CompilerServices;

namespace Preserve.Cpu;

/// <summary>A prefetch on the processor: reads a byte of every cache line, so that the lines are in the cache that the cores share.</summary>
internal static unsafe class CacheLines
{
    private const int LineBytes = 64;

    /// <summary>Touches every line of some operands once. A read of another core's data changes nothing of it.</summary>
    /// <returns>The sum of the bytes that were read, so that no compiler leaves the reads out.</returns>
    public static long Touch(ReadOnlySpan<Operand> operands)
    {
        var sum = 0L;
        foreach (var operand in operands)
            sum += Read(operand.Start, operand.Bytes);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Read(byte* start, long bytes)
    {
        var sum = 0L;
        // The first line may begin before the operand: the others are counted from their own beginnings.
        for (var at = 0L; at < bytes; at += LineBytes - (long)((nuint)(start + at) % LineBytes))
            sum += Volatile.Read(ref start[at]);
        return sum;
    }
}
