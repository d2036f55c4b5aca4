using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Preserve.Profiling;

/// <summary>Times this machine's own memory and processor, which stands for host and device both.</summary>
/// <remarks>A copy reads one buffer and writes another, each far larger than it, at places that change from run to run, so that caches
/// hold neither; one that is not pinned passes through a buffer of 4 MiB, as a driver's does. The matmul is in fp32, each result a dot product
/// of rows (<see cref="TensorPrimitives.Dot(ReadOnlySpan{float}, ReadOnlySpan{float})"/>), shared by all processors.</remarks>
public sealed class MachineProfiler : IProfiler
{
    private const int StagingBytes = 4 << 20;

    private readonly int _warmUp;
    private readonly int _repetitions;
    private readonly byte[] _source;
    private readonly byte[] _target;
    private readonly byte[] _backSource;
    private readonly byte[] _backTarget;
    private readonly byte[] _staging = GC.AllocateArray<byte>(StagingBytes, pinned: true);

    /// <summary>Allocates the buffers and touches every page of them.</summary>
    /// <param name="repetitions">Times that are taken of each thing, 3 or more.</param>
    /// <param name="warmUp">Runs before them whose time is not taken, 1 or more.</param>
    /// <param name="bufferBytes">Size of each of four buffers: no copy may be larger.</param>
    public MachineProfiler(int repetitions = 15, int warmUp = 3, int bufferBytes = 256 << 20)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repetitions, 3);
        ArgumentOutOfRangeException.ThrowIfLessThan(warmUp, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(bufferBytes, 1);
        (_repetitions, _warmUp) = (repetitions, warmUp);
        (_source, _target, _backSource, _backTarget) = (Buffer(), Buffer(), Buffer(), Buffer());

        byte[] Buffer()
        {
            var buffer = GC.AllocateUninitializedArray<byte>(bufferBytes, pinned: true);
            buffer.AsSpan().Fill(1);
            return buffer;
        }
    }

    /// <inheritdoc/>
    public ProfileSource Source { get; } = new(
        "machine", ProcessorName(), Environment.ProcessorCount, $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}",
        "copies in memory and fp32 matmuls on the processor: it stands for host and device both, and both directions are the same");

    /// <inheritdoc/>
    public Timing Copy(long bytes, CopyKind kind)
    {
        ArgumentNullException.ThrowIfNull(kind);
        if (bytes < 1 || bytes > _source.Length)
            throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"a copy has 1 to {_source.Length} bytes here");
        var size = (int)bytes;
        if (!kind.BothDirections)
            return Repeat(run => Move(_source, _target, run, size, kind.Pinned));
        return Beside(run => Move(_backSource, _backTarget, run, size, pinned: true), () => Repeat(run => Move(_source, _target, run, size, kind.Pinned)));
    }

    /// <inheritdoc/>
    public Timing MatMul(RecomputeShape shape, int tokens, bool underTransfer)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1);
        var rows = shape.Rows(tokens);
        var columns = checked(2 * shape.KeyValueWidth);
        var activations = Values(checked(rows * shape.Hidden));
        // By columns: each is one row of what is stored.
        var weights = Values(checked(columns * shape.Hidden));
        var results = new float[checked(rows * columns)];
        Timing Time() => Repeat(_ => Multiply(activations, weights, results, rows, columns, shape.Hidden));
        return underTransfer ? Beside(run => Move(_backSource, _backTarget, run, Math.Min(StagingBytes, _backSource.Length), pinned: true), Time) : Time();
    }

    /// <summary>The product that is timed: row times column of the weight, which lies by columns.</summary>
    internal static void Multiply(float[] activations, float[] weights, float[] results, int rows, int columns, int depth) =>
        // A few columns at a time stay in a core's own cache while all rows pass.
        Parallel.For(0, (columns + 7) / 8, block =>
        {
            var end = Math.Min((block + 1) * 8, columns);
            for (var row = 0; row < rows; row++)
            {
                var activation = activations.AsSpan(row * depth, depth);
                for (var column = block * 8; column < end; column++)
                    results[(row * columns) + column] = TensorPrimitives.Dot(activation, weights.AsSpan(column * depth, depth));
            }
        });

    private Timing Repeat(Action<int> work)
    {
        for (var i = 0; i < _warmUp; i++)
            work(i);
        var times = new double[_repetitions];
        for (var i = 0; i < times.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            work(_warmUp + i);
            // What takes less than the clock can tell has taken one tick of it at most; a time span's ticks are coarser.
            times[i] = 1e6 * Math.Max(Stopwatch.GetTimestamp() - start, 1) / Stopwatch.Frequency;
        }
        return Timing.Of(times);
    }

    /// <summary>Measures while something else runs on a thread of its own, over and over, from before the first run to after the last.</summary>
    private static Timing Beside(Action<int> other, Func<Timing> measure)
    {
        using var running = new ManualResetEventSlim();
        var stop = false;
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                for (var run = 0; !Volatile.Read(ref stop); run++)
                {
                    other(run);
                    running.Set();
                }
            }
            catch (Exception e)
            {
                fault = e;
                running.Set();
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        running.Wait();
        Timing time;
        try
        {
            time = measure();
        }
        finally
        {
            Volatile.Write(ref stop, true);
            thread.Join();
        }
        return fault is null ? time : throw new InvalidOperationException("what ran beside the measurement failed", fault);
    }

    /// <summary>Copies from a place that changes with the run, so that no cache holds it.</summary>
    private void Move(byte[] from, byte[] to, int run, int bytes, bool pinned)
    {
        var places = from.Length / bytes;
        // A prime step passes through all places, and runs one after the other touch no neighbours.
        var at = (int)(7919L * run % places) * bytes;
        if (pinned)
        {
            from.AsSpan(at, bytes).CopyTo(to.AsSpan(at, bytes));
            return;
        }
        for (var done = 0; done < bytes; done += StagingBytes)
        {
            var part = Math.Min(StagingBytes, bytes - done);
            from.AsSpan(at + done, part).CopyTo(_staging);
            _staging.AsSpan(0, part).CopyTo(to.AsSpan(at + done, part));
        }
    }

    private static float[] Values(int count)
    {
        var values = new float[count];
        // Any values will do but denormal ones, which are slow.
        for (var i = 0; i < count; i++)
            values[i] = ((i % 17) - 8) / 8f;
        return values;
    }

    private static string ProcessorName()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
