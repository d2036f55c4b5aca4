using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Preserve.Cpu;

/// <summary>Sums of products in one order, which depends on the length and the formats alone: not on where the operands lie, on how many rows
/// there are, or on the width of this machine's vectors.</summary>
/// <remarks>
/// <para>Four accumulators of eight lanes take 32 elements a turn, each by a fused multiply-add; what is left goes to the first ones; then the
/// accumulators are added in pairs, the lanes in halves, and single elements one by one. TensorPrimitives promises no order. Rows of bfloat16 are taken in
/// pairs, as 32-bit words: the even elements of sixteen, then the odd ones.</para>
/// <para>Rows of bfloat16 are widened in registers, both of them: a row of activations is read again for every row of the weight, from a cache through which the weight
/// streams, and half the bytes of it stay there where twice as many do not. One row at a time, and nothing fetched ahead: the rows of a weight lie one behind the other,
/// which is what a core fetches by itself.</para>
/// <para>Compiled in full at once: a first step would else run for long before the loops are compiled anew.</para>
/// </remarks>
internal static class DotProduct
{
    private const int Lanes = 8;
    private const int Pairs = 2 * Lanes;
    private const int Turn = 4 * Lanes;

    /// <summary>The half of a word that is its odd element; shifted up, the other half is the even one.</summary>
    private const uint Upper = 0xFFFF0000;

    /// <summary>The sum of products of two rows of single precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Of(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(right.Length, left.Length);
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

    /// <summary>The sums of products of a row with others, all of bfloat16 as they are stored.</summary>
    /// <param name="left">The row.</param>
    /// <param name="right">The others, one behind the other.</param>
    /// <param name="sums">Takes a sum for each of them.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Of(ReadOnlySpan<ushort> left, ReadOnlySpan<ushort> right, Span<float> sums)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(right.Length, (long)left.Length * sums.Length);
        fixed (ushort* x = left)
        fixed (ushort* rows = right)
        {
            var length = left.Length;
            for (var row = 0; row < sums.Length; row++)
            {
                var w = rows + ((long)row * length);
                // A turn at once: the first and the third accumulator side by side, and the second and the fourth.
                Vector512<float> even = default, odd = default;
                var i = 0;
                for (; i <= length - Turn; i += Turn)
                {
                    var (xs, ws, upper) = (Vector512.Load((uint*)(x + i)), Vector512.Load((uint*)(w + i)), Vector512.Create(Upper));
                    even = Vector512.FusedMultiplyAdd((xs << 16).AsSingle(), (ws << 16).AsSingle(), even);
                    odd = Vector512.FusedMultiplyAdd((xs & upper).AsSingle(), (ws & upper).AsSingle(), odd);
                }
                var (a, b) = (even.GetLower(), odd.GetLower());
                if (i <= length - Pairs)
                {
                    var (xs, ws, upper) = (Vector256.Load((uint*)(x + i)), Vector256.Load((uint*)(w + i)), Vector256.Create(Upper));
                    a = Vector256.FusedMultiplyAdd((xs << 16).AsSingle(), (ws << 16).AsSingle(), a);
                    b = Vector256.FusedMultiplyAdd((xs & upper).AsSingle(), (ws & upper).AsSingle(), b);
                    i += Pairs;
                }
                var sum = Sum(a, b, even.GetUpper(), odd.GetUpper());
                for (; i < length; i++)
                    sum = MathF.FusedMultiplyAdd(Bfloat16.Widen(x[i]), Bfloat16.Widen(w[i]), sum);
                sums[row] = sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        var eight = (a + b) + (c + d);
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }
}
