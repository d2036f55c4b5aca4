using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>This machine as a device: its rates, measured with the backend's own kernels, in the format of any device file.</summary>
/// <remarks>The last cache that the cores share stands for the L2, memory for HBM and for the host's memory both. Each rate is the median of repeated
/// runs over buffers that no cache, or this cache alone, holds.</remarks>
public static class ThisCpu
{
    /// <summary>The device's id.</summary>
    public const string Id = "this-cpu";

    private const int Runs = 9;

    /// <summary>Measures the machine, in some seconds. Nothing else should run meanwhile.</summary>
    /// <param name="ranks">Ranks that will share it, 1 or more: each is a device with its part of the rates and of the cache.</param>
    /// <returns>The text of a device file.</returns>
    public static string Measure(int ranks = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ranks, 1);
        var threads = Environment.ProcessorCount;
        var cache = LastCacheBytes();
        var memory = ReadRate(Math.Max(8 * cache, 256L << 20), threads) / ranks;
        // Half of the cache, so that what else lies there does not push any of it out.
        var cached = ReadRate(Math.Max(cache / 2, 1L << 20), threads) / ranks;
        var copy = CopyRate() / ranks;
        var (teraflops, launch, small) = (MatMulTeraflops(threads) / ranks, MatMulMicroseconds(), SmallMicroseconds());
        var handOver = HandOverMicroseconds();
        var capacity = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9 / ranks;
        return string.Create(CultureInfo.InvariantCulture, $$"""
            {
              "preserve_device": 1,
              "id": "{{Id}}",
              "name": "This machine's processor",
              "vendor": "unknown",
              "architecture": "{{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}}",
              "compute": { "bf16_teraflops": {{Digits(teraflops)}} },
              "hbm": {
                "capacity_gigabytes": {{Digits(capacity)}},
                "nominal_gigabytes_per_second": {{Digits(memory)}},
                "sustained_gigabytes_per_second": {{Digits(memory)}}
              },
              "l2": {
                "capacity_mebibytes": {{Digits(cache / 1048576.0 / ranks)}},
                "usable_mebibytes": {{Digits(cache / 2097152.0 / ranks)}},
                "read_terabytes_per_second": {{Digits(Math.Max(cached, memory) / 1000)}}
              },
              "scale_up": { "kind": "memory", "gigabytes_per_second_per_direction": {{Digits(copy)}} },
              "host_link": {
                "kind": "memory",
                "nominal_gigabytes_per_second": {{Digits(copy)}},
                "sustained_gigabytes_per_second": {{Digits(copy)}},
                "latency_microseconds": {{Digits(handOver)}}
              },
              "kernels": {
                "matmul_fixed_microseconds": {{Digits(launch)}},
                "matmul_hbm_terabytes_per_second": {{Digits(memory / 1000)}},
                "matmul_bf16_teraflops": {{Digits(teraflops)}},
                "attention_fixed_microseconds": {{Digits(launch)}},
                "small_operator_fixed_microseconds": {{Digits(small)}},
                "prefetch_fixed_microseconds": {{Digits(small)}},
                "event_microseconds": {{Digits(handOver)}}
              },
              "collectives": { "latency_microseconds": {{Digits(2 * handOver)}} },
              "sources": [
                { "field": "hbm", "note": "measured: a decode matmul over a weight that no cache holds" },
                { "field": "l2", "note": "size as the system tells it, half of it usable; rate measured: a decode matmul over a weight of that half" },
                { "field": "scale_up", "note": "measured: a copy that no cache holds, as ranks read what the others gave" },
                { "field": "host_link", "note": "measured: the same copy; latency is that of a thread that hands over to another" },
                { "field": "kernels", "note": "measured: small matmuls and norms, and threads that hand over to each other; attention is taken to begin like a small matmul, a prefetch like a norm" },
                { "field": "collectives", "note": "derived: ranks meet twice, each time for as long as a thread takes to hand over to another" }
              ]
            }
            """);
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

    private static double MatMulMicroseconds()
    {
        using var weight = new NativeBuffer(2 * 64 * 16);
        return Multiply(weight, 1, 64, 16, 1) * 1e6;
    }

    private static double SmallMicroseconds()
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

    /// <summary>Time from one thread's signal to another's wake, by the means of the streams.</summary>
    private static double HandOverMicroseconds()
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

    /// <summary>Four digits, as no measurement has more.</summary>
    private static string Digits(double value) =>
        ((double)decimal.Parse(value.ToString("G4", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture)).ToString("0.############", CultureInfo.InvariantCulture);
}
