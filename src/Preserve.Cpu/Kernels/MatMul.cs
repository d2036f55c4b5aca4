using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Preserve.Cpu;

/// <summary>Rows of activations by a weight that lies by outputs: each result is a <see cref="DotProduct"/> of two rows, with the bias added
/// before it is rounded.</summary>
internal static unsafe class MatMul
{
    /// <summary>Bytes of a weight below which one thread is faster than several.</summary>
    private const long LeastToShare = 512 << 10;

    /// <summary>Shares of the outputs for each thread. A thread takes the next one when it is done, so that one which the system holds up does not hold up all.</summary>
    private const int SharesOfThread = 8;

    /// <summary>Outputs that are summed in one call and stored together, so that one row's last sums do not hold up the next row's reads.</summary>
    private const int Block = 32;

    /// <summary>Multiplies.</summary>
    /// <param name="input">Rows x depth, by rows.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="weights">The weight: its outputs, in one piece or in several, each in a format of its own.</param>
    /// <param name="biases">One number for each output, likewise; may be empty.</param>
    /// <param name="output">Rows x outputs.</param>
    /// <param name="scratch">The worker's arrays; the first two are used.</param>
    /// <param name="threads">Threads that may share the outputs.</param>
    /// <param name="progress">Of the step; where it is stopped, the outputs that are left are not computed.</param>
    /// <exception cref="InvalidOperationException">Weights or biases are not of as many outputs as there are.</exception>
    public static void Run(Operand input, int rows, ReadOnlySpan<Operand> weights, ReadOnlySpan<Operand> biases, Operand output, Scratch scratch, int threads, RankProgress? progress = null)
    {
        var depth = (int)(input.Elements / rows);
        var columns = (int)(output.Elements / rows);
        Check(weights, depth, columns, output, "weights");
        if (biases.Length > 0)
            Check(biases, 1, columns, output, "biases");
        var widened = Widened(input, weights, scratch);
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
            // Where both are of bfloat16, rows are taken where they lie.
            var x = input.IsFloat32 || part.IsFloat32 ? widened : null;
            if (threads == 1 || part.Bytes < LeastToShare)
            {
                Outputs(part, input, x, bias, output, rows, depth, columns, first, 0, count, progress);
            }
            else
            {
                var (weight, begin, shares, taken) = (part, first, (int)Math.Min(count, (long)SharesOfThread * threads), -1);
                Parallel.For(0, Math.Min(threads, shares), new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
                {
                    for (int share; (share = Interlocked.Increment(ref taken)) < shares;)
                        Outputs(weight, input, x, bias, output, rows, depth, columns, begin, (int)((long)count * share / shares), (int)((long)count * (share + 1) / shares), progress);
                });
            }
            first += count;
        }
    }

    /// <summary>Holds that the pieces of a weight, or of a bias, are those of all outputs together.</summary>
    private static void Check(ReadOnlySpan<Operand> pieces, int depth, int columns, Operand output, string what)
    {
        var outputs = 0L;
        foreach (var piece in pieces)
        {
            if (depth < 1 || piece.Elements % depth != 0)
                throw new InvalidOperationException($"'{piece.Tensor.Name}' has {piece.Elements} elements, which are no rows of {depth}");
            outputs += piece.Elements / depth;
        }
        if (outputs != columns)
            throw new InvalidOperationException($"'{output.Tensor.Name}' has {columns} columns, and its {what} have {outputs} outputs");
    }

    /// <summary>The rows in single precision, for the pieces that need them so; null where there is none.</summary>
    private static float[]? Widened(Operand input, ReadOnlySpan<Operand> weights, Scratch scratch)
    {
        var needed = input.IsFloat32;
        foreach (var weight in weights)
            needed |= weight.IsFloat32;
        if (!needed)
            return null;
        var rows = scratch.Array(0, input.Elements);
        input.Load(0, rows.AsSpan(0, (int)input.Elements));
        return rows;
    }

    /// <summary>Computes some outputs of one piece of the weight, a block of them at a time: it is read from memory for the first row, and for the others from a
    /// cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Outputs(Operand weight, Operand input, float[]? x, float[] bias, Operand output, int rows, int depth, int columns, int first, int from, int to, RankProgress? progress)
    {
        Span<float> results = stackalloc float[Block];
        var widened = x is null || weight.IsFloat32 ? [] : new float[depth];
        var step = widened.Length > 0 ? 1 : Block;
        for (var column = from; column < to && progress is not { IsStopped: true }; column += step)
        {
            var block = results[..Math.Min(step, to - column)];
            var place = weight.At((long)column * depth, (long)block.Length * depth);
            if (widened.Length > 0)
                Bfloat16.Widen(new ReadOnlySpan<ushort>(place, depth), widened);
            for (var row = 0; row < rows; row++)
            {
                if (x is null)
                {
                    DotProduct.Of(new ReadOnlySpan<ushort>(input.At((long)row * depth, depth), depth), new ReadOnlySpan<ushort>(place, block.Length * depth), block);
                }
                else
                {
                    for (var i = 0; i < block.Length; i++)
                        block[i] = DotProduct.Of(x.AsSpan(row * depth, depth), widened.Length > 0 ? widened : new ReadOnlySpan<float>((float*)place + ((long)i * depth), depth));
                }
                TensorPrimitives.Add(block, bias.AsSpan(first + column, block.Length), block);
                output.Store(((long)row * columns) + first + column, block);
            }
        }
    }
}
