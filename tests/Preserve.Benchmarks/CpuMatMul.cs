using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Preserve.Cpu;

namespace Preserve.Benchmarks;

/// <summary>The rate at which a decode matmul reads its weight, beside the rate at which this machine reads memory at all: one row of activations by a
/// bf16 weight that no cache holds.</summary>
/// <remarks>Both go through the same bytes in turn, so that whatever else the machine does meets both. The plain read adds up all of them
/// with the widest vectors that the machine has, two halves where it has none of 64 bytes, and in code that is compiled in full at once; the faster of one and of four
/// streams within each thread's part is taken for the machine's rate. Rates are told by the clock, and by the processor
/// time of all threads, in which the turns of other programs do not count.</remarks>
internal static unsafe class CpuMatMul
{
    private const int Depth = 4096, Columns = 65_536, Runs = 15, WarmUps = 3;

    /// <summary>Bytes of a turn of a read: a vector for each of its sums.</summary>
    private const long Turn = 4 * 64;

    /// <summary>Part of the rate of a read that a matmul has to reach.</summary>
    private const double Least = 0.8;

    /// <summary>Measures, and prints what was measured.</summary>
    /// <returns>Whether the matmul reached its part of the rate, by the clock, on every number of threads.</returns>
    public static bool Measure()
    {
        using var memory = new NativeBuffer(2L * Depth * Columns);
        using var input = new NativeBuffer(2L * Depth);
        using var output = new NativeBuffer(2L * Columns);
        var random = new Random(1);
        var row = new float[Depth];
        var weight = Operand("weight", memory);
        for (var column = 0; column < Columns; column++)
        {
            for (var i = 0; i < Depth; i++)
                row[i] = random.NextSingle() - 0.5f;
            weight.Store((long)column * Depth, row);
        }
        Operand("input", input).Store(0, row);
        var scratch = new Scratch();
        Console.WriteLine($"a matmul of 1 x {Depth} by {Depth} x {Columns} in bf16, {memory.Bytes >> 20} MiB; medians and quartiles of {Runs} runs in turn, by the clock and by processor time, {Environment.ProcessorCount} processors");
        var held = true;
        for (var threads = 1; threads <= Environment.ProcessorCount; threads++)
        {
            (double Clock, double Processor)[] one = new (double, double)[Runs], four = new (double, double)[Runs], matMul = new (double, double)[Runs];
            for (var run = -WarmUps; run < Runs; run++)
            {
                var times = (Time(() => Read(memory, threads, 1)), Time(() => Read(memory, threads, 4)),
                    Time(() => MatMul.Run(Operand("input", input), 1, [Operand("weight", memory)], [], Operand("output", output), scratch, threads)));
                if (run >= 0)
                    (one[run], four[run], matMul[run]) = times;
            }
            held &= Print(threads, "clock", [.. one.Select(t => t.Clock)], [.. four.Select(t => t.Clock)], [.. matMul.Select(t => t.Clock)]);
            Print(threads, "processor time", [.. one.Select(t => t.Processor / threads)], [.. four.Select(t => t.Processor / threads)], [.. matMul.Select(t => t.Processor / threads)]);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(held ? "held" : "missed")}: {100 * Least:0} % of the faster read or more by the clock, on every number of threads"));
        return held;

        bool Print(int threads, string by, double[] one, double[] four, double[] matMul)
        {
            foreach (var times in new[] { one, four, matMul })
                Array.Sort(times);
            var part = Math.Min(one[Runs / 2], four[Runs / 2]) / matMul[Runs / 2];
            Console.WriteLine($"{threads} thread{(threads == 1 ? "" : "s")}, by {by}: read in one stream {Rate(one)}, in four {Rate(four)}, matmul {Rate(matMul)}: {(100 * part).ToString("0", CultureInfo.InvariantCulture)} % of the faster read");
            return part >= Least;
        }

        string Rate(double[] sorted)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{PerSecond(sorted[Runs / 2]):0.00} GB/s ({PerSecond(sorted[3 * Runs / 4]):0.00} to {PerSecond(sorted[Runs / 4]):0.00})");

            double PerSecond(double seconds) => memory.Bytes / seconds / 1e9;
        }
    }

    private static Operand Operand(string name, NativeBuffer buffer) =>
        new(new TensorDeclaration(name, TensorRole.Value, false, Precision.Bf16, 0, 1, 0), buffer.Start, buffer.Bytes);

    private static (double Clock, double Processor) Time(Action work)
    {
        var (processor, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        work();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
    }

    private static long s_sum;

    /// <summary>Reads all bytes: each thread a part of them, in so many streams. A part is of whole turns in each of its streams, so that none reads on into the
    /// next part, or behind the last.</summary>
    private static void Read(NativeBuffer memory, int threads, int streams) => Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t =>
    {
        var turns = memory.Bytes / (4 * Turn);
        var (first, end) = (turns * t / threads, turns * (t + 1) / threads);
        var start = memory.Start + (first * 4 * Turn);
        var bytes = (end - first) * 4 * Turn;
        Interlocked.Add(ref s_sum, streams == 1 ? OneStream(start, bytes) : FourStreams(start, bytes / 4));
    });

    /// <summary>Adds up bytes from first to last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long OneStream(byte* start, long bytes)
    {
        Vector512<long> a = default, b = default, c = default, d = default;
        for (var at = start; at < start + bytes; at += Turn)
        {
            a += Vector512.Load((long*)at);
            b += Vector512.Load((long*)(at + 64));
            c += Vector512.Load((long*)(at + 128));
            d += Vector512.Load((long*)(at + 192));
        }
        return Vector512.Sum((a + b) + (c + d));
    }

    /// <summary>Adds up four parts that lie one behind the other, a line of each in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long FourStreams(byte* start, long bytes)
    {
        Vector512<long> a = default, b = default, c = default, d = default;
        for (var at = start; at < start + bytes; at += 64)
        {
            a += Vector512.Load((long*)at);
            b += Vector512.Load((long*)(at + bytes));
            c += Vector512.Load((long*)(at + (2 * bytes)));
            d += Vector512.Load((long*)(at + (3 * bytes)));
        }
        return Vector512.Sum((a + b) + (c + d));
    }
}
