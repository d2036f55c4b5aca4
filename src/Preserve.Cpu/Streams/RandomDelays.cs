using System.Diagnostics;

namespace Preserve.Cpu;

/// <summary>Delays before instructions, from a seed: streams that run as fast as they can meet in few orders, and these in many.</summary>
internal sealed class RandomDelays(ulong seed, int longestMicroseconds)
{
    /// <summary>Waits for a time that depends on the place and the seed. Each stream has its own pace.</summary>
    public void Pass(int rank, StreamKind stream, int instruction)
    {
        var pace = Draw((ulong)rank, (ulong)stream, ulong.MaxValue);
        // Half of the streams do not wait at all: those are far ahead of the others.
        if ((pace & 1) == 0)
            return;
        var share = Draw((ulong)rank, (ulong)stream, (ulong)instruction) % 1024 / 1024.0;
        var until = Stopwatch.GetTimestamp() + (long)(share * longestMicroseconds * Stopwatch.Frequency / 1e6);
        while (Stopwatch.GetTimestamp() < until)
            Thread.Yield();
    }

    private ulong Draw(ulong rank, ulong stream, ulong instruction)
    {
        var z = seed + (0x9E3779B97F4A7C15 * ((rank * 31) + stream + 1)) + (0xD1B54A32D192ED03 * (instruction + 1));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (z ^ (z >> 31)) >> 8;
    }
}
