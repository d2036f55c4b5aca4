using System.Diagnostics;
using System.Globalization;

namespace Preserve.Cpu;

/// <summary>Rates of this machine's processor, by the backend's own kernels: those of all its cores together.</summary>
/// <remarks>Each is the median of repeated runs over buffers that no cache, or the last cache alone, holds. The profiler of the KV split (Preserve.Profiling)
/// times copies and products too, but in fp32 and by other kernels than plans run here, and it needs the optimizer, which an application does not ship.</remarks>
/// <param name="CacheBytes">Size of the last cache.</param>
/// <param name="CapacityGigabytes">Memory, in GB.</param>
/// <param name="Memory">Rate at which a matmul of one row reads a weight from memory, in GB/s.</param>
/// <param name="Cached">The same of a weight in the last cache.</param>
/// <param name="Copy">Rate of a copy in memory, in GB/s.</param>
/// <param name="Teraflops">Rate of a matmul of many rows.</param>
/// <param name="MatMulMicroseconds">Time of a matmul of next to nothing.</param>
/// <param name="SmallMicroseconds">Time of a small norm.</param>
/// <param name="HandOverMicroseconds">Time from one thread's signal to another's wake.</param>
internal sealed record ProcessorRates(
    long CacheBytes, double CapacityGigabytes, double Memory, double Cached, double Copy, double Teraflops, double MatMulMicroseconds, double SmallMicroseconds, double HandOverMicroseconds)
{
    private const int Runs = 9;

    /// <summary>Measures them, in some seconds.</summary>
    public static ProcessorRates Measure()
    {
        var threads = Environment.ProcessorCount;
        var cache = LastCacheBytes();
        return new ProcessorRates(
            cache, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9,
            ReadRate(Math.Max(8 * cache, 256L << 20), threads),
            // Half of the cache, so that what else lies there does not push any of it out.
            ReadRate(Math.Max(cache / 2, 1L << 20), threads),
            CopyRate(), MatMulTeraflops(threads), MatMulTime(), SmallTime(), HandOverTime());
    }

    /// <summary>Rate at which a matmul of one row reads its weight, in GB/s.</summary>
    private static double ReadRate(long bytes, int threads)
    {
        const int Depth = 4096;
        var columns = (int)(bytes / (2 * Depth));
        using var weight = new NativeBuffer(2L * Depth * columns);
        // Nothing that is slow to compute with: no denormal number.
        weight.Fill(0x3F);
        return 2.0 * Depth * columns / Multiply(weight, 1, Depth, columns, threads) / 1e9;
    }

    private static double MatMulTeraflops(int threads)
    {
        const int Rows = 64, Depth = 1024, Columns = 1024;
        using var weight = new NativeBuffer(2L * Depth * Columns);
        weight.Fill(0x3F);
        return 2.0 * Rows * Depth * Columns / Multiply(weight, Rows, Depth, Columns, threads) / 1e12;
    }

    /// <summary>Time of a matmul of next to nothing, in microseconds.</summary>
    private static double MatMulTime()
    {
        using var weight = new NativeBuffer(2 * 64 * 16);
        return Multiply(weight, 1, 64, 16, 1) * 1e6;
    }

    /// <summary>Time of a norm, in microseconds.</summary>
    private static double SmallTime()
    {
        var (row, weight) = (new float[1024], new float[1024]);
        return Median(() =>
        {
            for (var i = 0; i < 100; i++)
                Normalisation.Run(Norm.Rms, row, weight, 1e-5f);
        }) * 1e4;
    }

    private static double Multiply(NativeBuffer weight, int rows, int depth, int columns, int threads)
    {
        using var input = new NativeBuffer(2L * rows * depth);
        using var output = new NativeBuffer(2L * rows * columns);
        input.Fill(0x3F);
        var scratch = new Scratch();
        return Median(() => MatMul.Run(Bf16(input), rows, [Bf16(weight)], [], Bf16(output), scratch, threads));
    }

    private static unsafe Operand Bf16(NativeBuffer buffer) => new(new TensorDeclaration("measured", TensorRole.Value, false, Precision.Bf16, buffer.Bytes, 1, 0), buffer.Start, buffer.Bytes);

    /// <summary>Rate of a copy that no cache holds, in GB/s.</summary>
    private static unsafe double CopyRate()
    {
        using var from = new NativeBuffer(128 << 20);
        using var to = new NativeBuffer(128 << 20);
        return from.Bytes / Median(() => to.CopyFrom(from)) / 1e9;
    }

    /// <summary>Time from one thread's signal to another's wake, by the means of the streams, in microseconds.</summary>
    private static double HandOverTime()
    {
        const int Rounds = 200;
        return Median(() =>
        {
            var progress = new RankProgress();
            progress.Begin();
            var other = new Thread(() =>
            {
                for (var i = 1; i <= Rounds && progress.Wait(new EventPoint(StreamKind.Compute, i)); i++)
                    progress.End(StreamKind.Collective, i, signals: true);
            });
            other.Start();
            for (var i = 1; i <= Rounds; i++)
            {
                progress.End(StreamKind.Compute, i, signals: true);
                progress.Wait(new EventPoint(StreamKind.Collective, i));
            }
            other.Join();
        }) * 1e6 / (2 * Rounds);
    }

    private static double Median(Action work)
    {
        var times = new double[Runs];
        for (var run = -2; run < Runs; run++)
        {
            var start = Stopwatch.GetTimestamp();
            work();
            if (run >= 0)
                times[run] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        Array.Sort(times);
        return times[Runs / 2];
    }

    /// <summary>Size of the largest cache, as Linux tells it; 8 MiB elsewhere.</summary>
    private static long LastCacheBytes()
    {
        const string folder = "/sys/devices/system/cpu/cpu0/cache";
        var largest = 0L;
        if (Directory.Exists(folder))
        {
            foreach (var index in Directory.EnumerateDirectories(folder, "index*"))
            {
                var file = Path.Combine(index, "size");
                if (File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 1 } text && long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                    largest = Math.Max(largest, size * (text[^1] == 'M' ? 1 << 20 : 1 << 10));
            }
        }
        return largest > 0 ? largest : 8 << 20;
    }
}
