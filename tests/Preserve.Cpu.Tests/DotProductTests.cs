namespace Preserve.Cpu.Tests;

/// <summary>The order of a sum is part of the result: it depends on the length alone.</summary>
public unsafe class DotProductTests
{
    [Fact]
    public void The_sum_is_that_of_its_written_order()
    {
        for (var length = 0; length < 300; length++)
        {
            var (x, w) = (Values(length, 1), Values(length, 2));
            DotProduct.Of(x, w).ShouldBe(Written(x, w));
        }
    }

    [Fact]
    public void The_sum_of_bfloat16_is_that_of_its_written_order()
    {
        for (var length = 0; length < 300; length++)
        {
            var (x, xBits) = Bf16(3);
            var (w, wBits) = Bf16(4);
            // As the second of three rows.
            var sums = new float[3];
            DotProduct.Of(xBits, [.. wBits.Reverse(), .. wBits, .. wBits], sums);
            sums[1..].ShouldBe([Written(InPairs(x), InPairs(w), 16), sums[1]]);

            (float[] Widened, ushort[] Bits) Bf16(int seed)
            {
                var (widened, bits) = (Values(length, seed), new ushort[length]);
                Bfloat16.Narrow(widened, bits);
                Bfloat16.Widen(bits, widened);
                return (widened, bits);
            }
        }
    }

    [Fact]
    public void Rows_that_are_shorter_than_they_must_be_are_not_read_beyond_their_ends()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => { DotProduct.Of(new float[32], new float[31]); });
        Should.Throw<ArgumentOutOfRangeException>(() => DotProduct.Of(new ushort[32], new ushort[95], new float[3]));
        Should.Throw<ArgumentOutOfRangeException>(() => Bfloat16.Widen(new ushort[32], new float[31]));
        Should.Throw<InvalidOperationException>(() => { new Scratch().Take(0, 1L << 31); }).Message.ShouldBe("2147483648 numbers are needed at once, and an array has 2147483591 at most");
    }

    [Fact]
    public void A_row_of_a_matmul_has_the_same_bits_whatever_rows_and_threads_there_are()
    {
        const int Depth = 300, Columns = 1000, Rows = 5;
        foreach (var (format, inFormat) in new[] { (Precision.Bf16, Precision.Bf16), (Precision.Bf16, Precision.Fp32), (Precision.Fp32, Precision.Bf16), (Precision.Fp32, Precision.Fp32) })
        {
            using var weight = new NativeBuffer(format.Bytes((long)Depth * Columns));
            var matrix = Operand(weight, format);
            matrix.Store(0, Values(Depth * Columns, 5));
            var x = Values(Rows * Depth, 6);
            var all = Multiply(x, inFormat, Rows, matrix, 1);
            Multiply(x, inFormat, Rows, matrix, 3).ShouldBe(all);
            // More threads than there are outputs.
            Multiply(x, inFormat, Rows, matrix, int.MaxValue).ShouldBe(all);
            for (var row = 0; row < Rows; row++)
                Multiply(x.AsSpan(row * Depth, Depth).ToArray(), inFormat, 1, matrix, 1).ShouldBe(all[(row * Columns)..((row + 1) * Columns)]);
        }

        float[] Multiply(float[] x, Precision inFormat, int rows, Operand matrix, int threads)
        {
            using var input = new NativeBuffer(inFormat.Bytes(x.Length));
            using var output = new NativeBuffer(4L * rows * Columns);
            var (from, to) = (Operand(input, inFormat), Operand(output, Precision.Fp32));
            from.Store(0, x);
            MatMul.Run(from, rows, [matrix], [], to, new Scratch(), threads);
            var result = new float[rows * Columns];
            to.Load(0, result);
            return result;
        }
    }

    [Fact]
    public void Rounding_is_to_the_nearest_and_of_two_to_the_even_one()
    {
        Bfloat16.Round(1 + (1 / 256f)).ShouldBe(1);
        Bfloat16.Round(1 + (3 / 256f)).ShouldBe(1 + (4 / 256f));
        Bfloat16.Round(1 + (1.01f / 256f)).ShouldBe(1 + (2 / 256f));
        Bfloat16.Round(-1.5f).ShouldBe(-1.5f);
        Bfloat16.Round(float.MaxValue).ShouldBe(float.PositiveInfinity);
        float.IsNaN(Bfloat16.Round(float.NaN)).ShouldBeTrue();
        float.IsNaN(Bfloat16.Round(BitConverter.UInt32BitsToSingle(0x7F800001))).ShouldBeTrue();
    }

    private static Operand Operand(NativeBuffer buffer, Precision format) => new(new TensorDeclaration("t", TensorRole.Value, false, format, 0, 1, 0), buffer.Start, buffer.Bytes);

    /// <summary>Of each sixteen elements the even ones, then the odd ones; fewer at the end stay.</summary>
    private static float[] InPairs(float[] row) =>
        [.. row.Chunk(16).SelectMany(c => c.Length < 16 ? c : [.. c.Where((_, i) => i % 2 == 0), .. c.Where((_, i) => i % 2 == 1)])];

    private static float Written(float[] x, float[] w, int rest = 8)
    {
        var sums = new float[4, 8];
        var i = 0;
        for (; i + 32 <= x.Length; i += 32)
        {
            for (var e = 0; e < 32; e++)
                sums[e / 8, e % 8] = MathF.FusedMultiplyAdd(x[i + e], w[i + e], sums[e / 8, e % 8]);
        }
        for (; i + rest <= x.Length; i += rest)
        {
            for (var e = 0; e < rest; e++)
                sums[e / 8, e % 8] = MathF.FusedMultiplyAdd(x[i + e], w[i + e], sums[e / 8, e % 8]);
        }
        var eight = Enumerable.Range(0, 8).Select(e => (sums[0, e] + sums[1, e]) + (sums[2, e] + sums[3, e])).ToArray();
        var four = Enumerable.Range(0, 4).Select(e => eight[e] + eight[e + 4]).ToArray();
        var sum = (four[0] + four[2]) + (four[1] + four[3]);
        for (; i < x.Length; i++)
            sum = MathF.FusedMultiplyAdd(x[i], w[i], sum);
        return sum;
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }
}
