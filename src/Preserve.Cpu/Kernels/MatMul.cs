using System.Runtime.CompilerServices;

namespace Preserve.Cpu;

/// <summary>Rows of activations by a weight that lies by outputs: each result is a <see cref="DotProduct"/> of two rows, with the bias added
/// before it is rounded.</summary>
internal static unsafe class MatMul
{
    /// <summary>Bytes of a weight below which one thread is faster than several.</summary>
    private const long LeastToShare = 512 << 10;

    /// <summary>Rows from which on a row of the weight is widened once for all of them.</summary>
    private const int RowsToWiden = 3;

    /// <summary>Multiplies.</summary>
    /// <param name="input">Rows x depth, by rows.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="weights">The weight: its outputs, in one piece or in several.</param>
    /// <param name="biases">One number for each output, likewise; may be empty.</param>
    /// <param name="output">Rows x outputs.</param>
    /// <param name="scratch">The worker's arrays; the first two are used.</param>
    /// <param name="threads">Threads that may share the outputs.</param>
    public static void Run(Operand input, int rows, ReadOnlySpan<Operand> weights, ReadOnlySpan<Operand> biases, Operand output, Scratch scratch, int threads)
    {
        var depth = (int)(input.Elements / rows);
        var columns = (int)(output.Elements / rows);
        var x = scratch.Array(0, input.Elements);
        input.Load(0, x.AsSpan(0, checked((int)input.Elements)));
        if (!weights[0].IsFloat32)
        {
            for (var row = 0; row < rows; row++)
                DotProduct.Pair(x.AsSpan(row * depth, depth));
        }
        var bias = scratch.Array(1, columns);
        Array.Clear(bias, 0, columns);
        var at = 0;
        foreach (var part in biases)
        {
            part.Load(0, bias.AsSpan(at, (int)part.Elements));
            at += (int)part.Elements;
        }
        var first = 0;
        foreach (var part in weights)
        {
            var count = (int)(part.Elements / depth);
            if (threads == 1 || part.Bytes < LeastToShare)
            {
                Outputs(part, x, bias, output, rows, depth, columns, first, 0, count);
            }
            else
            {
                var (weight, begin) = (part, first);
                Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t =>
                    Outputs(weight, x, bias, output, rows, depth, columns, begin, (int)((long)count * t / threads), (int)((long)count * (t + 1) / threads)));
            }
            first += count;
        }
        if (first != columns)
            throw new InvalidOperationException($"'{output.Tensor.Name}' has {columns} columns, and its weights have {first} outputs");
    }

    /// <summary>Computes some outputs of one piece of the weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Outputs(Operand weight, float[] x, float[] bias, Operand output, int rows, int depth, int columns, int first, int from, int to)
    {
        Span<float> result = stackalloc float[1];
        var widened = rows >= RowsToWiden && !weight.IsFloat32 ? new float[depth] : null;
        for (var column = from; column < to; column++)
        {
            var place = weight.At((long)column * depth, depth);
            if (widened is not null)
            {
                Bfloat16.Widen(new ReadOnlySpan<ushort>(place, depth), widened);
                DotProduct.Pair(widened);
            }
            for (var row = 0; row < rows; row++)
            {
                var activations = x.AsSpan(row * depth, depth);
                var sum = widened is not null ? DotProduct.OfPairs(activations, widened)
                    : weight.IsFloat32 ? DotProduct.Of(activations, new ReadOnlySpan<float>(place, depth))
                    : DotProduct.OfPairs(activations, new ReadOnlySpan<ushort>(place, depth));
                result[0] = sum + bias[first + column];
                output.Store(((long)row * columns) + first + column, result);
            }
        }
    }
}
