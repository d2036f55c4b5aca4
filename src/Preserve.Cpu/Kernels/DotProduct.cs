using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Preserve.Cpu;

/// <summary>Sums of products in one order, which depends on the length and the format of the weight alone: not on where the operands lie, on how many rows
/// there are, or on the width of this machine's vectors.</summary>
/// <remarks>
/// <para>Four accumulators of eight lanes take 32 elements a turn, each by a fused multiply-add; what is left goes to the first ones; then the
/// accumulators are added in pairs, the lanes in halves, and single elements one by one. TensorPrimitives promises no order. Rows of bfloat16 are taken in
/// pairs, as 32-bit words: the even elements of sixteen, then the odd ones, for which the other row is <see cref="Pair">arranged</see> once.</para>
/// <para>One row at a time, and nothing fetched ahead: the rows of a weight lie one behind the other, which is what a core fetches by itself. Two or four rows at once are
/// streams a power of two apart, and take nearly twice as long; so does a fetch a kilobyte ahead.</para>
/// <para>Compiled in full at once: a first step would else run for long before the loops are compiled anew.</para>
/// </remarks>
internal static class DotProduct
{
    private const int Lanes = 8;
    private const int Pairs = 2 * Lanes;
    private const int Turn = 4 * Lanes;

    /// <summary>The sum of products of two rows of single precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Of(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        ref var x = ref MemoryMarshal.GetReference(left);
        ref var w = ref MemoryMarshal.GetReference(right);
        Vector256<float> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= left.Length - Turn; i += Turn)
        {
            a = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i), Vector256.LoadUnsafe(ref w, (nuint)i), a);
            b = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i + Lanes), Vector256.LoadUnsafe(ref w, (nuint)i + Lanes), b);
            c = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i + (2 * Lanes)), Vector256.LoadUnsafe(ref w, (nuint)i + (2 * Lanes)), c);
            d = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i + (3 * Lanes)), Vector256.LoadUnsafe(ref w, (nuint)i + (3 * Lanes)), d);
        }
        for (; i <= left.Length - Lanes; i += Lanes)
            a = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i), Vector256.LoadUnsafe(ref w, (nuint)i), a);
        var sum = Sum(a, b, c, d);
        for (; i < left.Length; i++)
            sum = MathF.FusedMultiplyAdd(left[i], right[i], sum);
        return sum;
    }

    /// <summary>The sums with rows of bfloat16.</summary>
    /// <param name="left">A row of single precision, in pairs.</param>
    /// <param name="right">The rows of bfloat16, as they are stored, one behind the other.</param>
    /// <param name="sums">Takes a sum for each of the rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void OfPairs(ReadOnlySpan<float> left, ReadOnlySpan<ushort> right, Span<float> sums)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(right.Length, (long)left.Length * sums.Length);
        fixed (float* x = left)
        fixed (ushort* rows = right)
        {
            var length = left.Length;
            for (var row = 0; row < sums.Length; row++)
            {
                var w = rows + ((long)row * length);
                Vector256<float> a = default, b = default, c = default, d = default;
                var i = 0;
                for (; i <= length - Turn; i += Turn)
                {
                    Add(x + i, w + i, ref a, ref b);
                    Add(x + i + Pairs, w + i + Pairs, ref c, ref d);
                }
                if (i <= length - Pairs)
                {
                    Add(x + i, w + i, ref a, ref b);
                    i += Pairs;
                }
                var sum = Sum(a, b, c, d);
                for (; i < length; i++)
                    sum = MathF.FusedMultiplyAdd(x[i], Bfloat16.Widen(w[i]), sum);
                sums[row] = sum;
            }
        }
    }

    /// <summary>The same sum with a row that was widened and put in pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe float OfPairs(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        fixed (float* x = left)
        fixed (float* w = right)
        {
            Vector256<float> a = default, b = default, c = default, d = default;
            var i = 0;
            for (; i <= left.Length - Turn; i += Turn)
            {
                a = Vector256.FusedMultiplyAdd(Vector256.Load(x + i), Vector256.Load(w + i), a);
                b = Vector256.FusedMultiplyAdd(Vector256.Load(x + i + Lanes), Vector256.Load(w + i + Lanes), b);
                c = Vector256.FusedMultiplyAdd(Vector256.Load(x + i + Pairs), Vector256.Load(w + i + Pairs), c);
                d = Vector256.FusedMultiplyAdd(Vector256.Load(x + i + Pairs + Lanes), Vector256.Load(w + i + Pairs + Lanes), d);
            }
            if (i <= left.Length - Pairs)
            {
                a = Vector256.FusedMultiplyAdd(Vector256.Load(x + i), Vector256.Load(w + i), a);
                b = Vector256.FusedMultiplyAdd(Vector256.Load(x + i + Lanes), Vector256.Load(w + i + Lanes), b);
                i += Pairs;
            }
            var sum = Sum(a, b, c, d);
            for (; i < left.Length; i++)
                sum = MathF.FusedMultiplyAdd(x[i], w[i], sum);
            return sum;
        }
    }

    /// <summary>Arranges each sixteen elements of a row for a sum with bfloat16: the even ones, then the odd ones. Fewer at the end stay.</summary>
    public static void Pair(Span<float> row)
    {
        Span<float> sixteen = stackalloc float[Pairs];
        for (var i = 0; i <= row.Length - Pairs; i += Pairs)
        {
            row.Slice(i, Pairs).CopyTo(sixteen);
            for (var e = 0; e < Lanes; e++)
                (row[i + e], row[i + Lanes + e]) = (sixteen[2 * e], sixteen[(2 * e) + 1]);
        }
    }

    /// <summary>Sixteen products: the lower halves of eight words are the even elements, the upper ones the odd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Add(float* x, ushort* w, ref Vector256<float> even, ref Vector256<float> odd)
    {
        var words = Vector256.Load((uint*)w);
        even = Vector256.FusedMultiplyAdd(Vector256.Load(x), (words << 16).AsSingle(), even);
        odd = Vector256.FusedMultiplyAdd(Vector256.Load(x + Lanes), (words & Vector256.Create(0xFFFF0000)).AsSingle(), odd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        var eight = (a + b) + (c + d);
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }
}
