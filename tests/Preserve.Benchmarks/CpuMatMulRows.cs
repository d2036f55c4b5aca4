using System.Globalization;
using Preserve.Cpu;

namespace Preserve.Benchmarks;

/// <summary>The time of a matmul of one row and of several by a weight that no cache holds, beside what the model of a machine of the same rates says of them.</summary>
/// <remarks>The model reads the weight once for all rows, or computes, whichever is longer; its rates are those of the first and of the last number of rows in the same run.
/// Times are processor time by threads, in which the turns of other programs do not count.</remarks>
internal static unsafe class CpuMatMulRows
{
    private const int Depth = 4096, Columns = 16_384, Runs = 15, WarmUps = 2;

    private static readonly int[] s_rows = [1, 2, 3, 4, 6, 8, 16, 32, 64];

    public static void Measure()
    {
        using var weight = new NativeBuffer(2L * Depth * Columns);
        weight.Fill(0x3F);
        var times = s_rows.Select(rows => Time(weight, rows)).ToArray();
        var device = DeviceOf(weight.Bytes / times[0], 2.0 * s_rows[^1] * Depth * Columns / times[^1]);
        Console.WriteLine($"matmuls by {Depth} x {Columns} in bf16, {weight.Bytes >> 20} MiB, on {Environment.ProcessorCount} threads; medians of {Runs} runs, processor time by threads");
        Console.WriteLine("rows   measured   of one row   modelled   error");
        for (var i = 0; i < s_rows.Length; i++)
        {
            var modelled = Modelled(device, s_rows[i], weight.Bytes);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{s_rows[i],4}{1e3 * times[i],8:0.0} ms{times[i] / times[0],11:0.0} x{1e3 * modelled,9:0.0} ms{100 * (modelled - times[i]) / times[i],6:+0;-0} %"));
        }
    }

    /// <summary>Processor time of a matmul by threads, in seconds.</summary>
    private static double Time(NativeBuffer weight, int rows)
    {
        using var input = new NativeBuffer(2L * Depth * rows);
        using var output = new NativeBuffer(2L * Columns * rows);
        input.Fill(0x3F);
        var (scratch, times) = (new Scratch(), new double[Runs]);
        for (var run = -WarmUps; run < Runs; run++)
        {
            var used = Environment.CpuUsage.TotalTime;
            MatMul.Run(Operand("input", input), rows, [Operand("weight", weight)], [], Operand("output", output), scratch, Environment.ProcessorCount);
            if (run >= 0)
                times[run] = (Environment.CpuUsage.TotalTime - used).TotalSeconds / Environment.ProcessorCount;
        }
        Array.Sort(times);
        return times[Runs / 2];
    }

    /// <summary>A machine of these rates, in bytes and operations a second.</summary>
    private static Device DeviceOf(double memory, double compute)
    {
        var gigabytes = memory / 1e9;
        var rates = new ProcessorRates(32 << 20, 64, gigabytes, gigabytes, gigabytes, compute / 1e12, MatMulMicroseconds: 1, SmallMicroseconds: 1, HandOverMicroseconds: 1);
        return DeviceFile.Parse(ThisCpu.TextOf(rates, 1)).Device!;
    }

    /// <summary>What the model takes, in seconds.</summary>
    private static double Modelled(Device device, int rows, long bytes)
    {
        var demand = CostLaws.For(device).Demand(new MatMulOperation(rows, Columns, Depth, Precision.Bf16, Precision.Bf16), 0, bytes, 0);
        return (demand.FixedPicoseconds + Math.Max(bytes / demand.HbmBytesPerPicosecond, demand.Flops / demand.FlopsPerPicosecond)) / 1e12;
    }

    private static Operand Operand(string name, NativeBuffer buffer) =>
        new(new TensorDeclaration(name, TensorRole.Value, false, Precision.Bf16, 0, 1, 0), buffer.Start, buffer.Bytes);
}
