using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using Preserve.Cpu;

namespace Preserve.Benchmarks;

/// <summary>The rate at which a decode matmul reads its weight, beside the rate at which this machine reads memory at all: one row of activations by a
/// bf16 weight that no cache holds.</summary>
/// <remarks>Both go through the same bytes in turn, so that whatever else the machine does meets both. The plain read adds up all of them
/// with vectors; the faster of one and of four streams within each thread's part is taken for the machine's rate. Rates are told by the clock, and by the processor
/// time of all threads, in which the turns of other programs do not count.</remarks>
internal static unsafe class CpuMatMul
{
    private const int Depth = 4096, Columns = 65_536, Runs = 15, WarmUps = 3;

    public static void Measure()
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
            Print(threads, "clock", [.. one.Select(t => t.Clock)], [.. four.Select(t => t.Clock)], [.. matMul.Select(t => t.Clock)]);
            Print(threads, "processor time", [.. one.Select(t => t.Processor / threads)], [.. four.Select(t => t.Processor / threads)], [.. matMul.Select(t => t.Processor / threads)]);
        }

        void Print(int threads, string by, double[] one, double[] four, double[] matMul)
        {
            foreach (var times in new[] { one, four, matMul })
                Array.Sort(times);
            var best = Math.Min(one[Runs / 2], four[Runs / 2]);
            Console.WriteLine($"{threads} thread{(threads == 1 ? "" : "s")}, by {by}: read in one stream {Rate(one)}, in four {Rate(four)}, matmul {Rate(matMul)}: {(100 * best / matMul[Runs / 2]).ToString("0", CultureInfo.InvariantCulture)} % of the faster read");
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
        const long Turn = 4 * 128;
        var turns = memory.Bytes / Turn;
        var (first, end) = (turns * t / threads, turns * (t + 1) / threads);
        var length = (end - first) * (Turn / streams);
        var start = memory.Start + (first * Turn);
        Vector256<long> a = default, b = default, c = default, d = default;
        for (var at = 0L; at < length; at += 128)
        {
            if (streams == 1)
            {
                a += Vector256.Load((long*)(start + at));
                b += Vector256.Load((long*)(start + at + 32));
                c += Vector256.Load((long*)(start + at + 64));
                d += Vector256.Load((long*)(start + at + 96));
            }
            else
            {
                for (var line = 0L; line < 128; line += 32)
                {
                    a += Vector256.Load((long*)(start + at + line));
                    b += Vector256.Load((long*)(start + length + at + line));
                    c += Vector256.Load((long*)(start + (2 * length) + at + line));
                    d += Vector256.Load((long*)(start + (3 * length) + at + line));
                }
            }
        }
        Interlocked.Add(ref s_sum, Vector256.Sum(a + b + c + d));
    });
}
