using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Preserve.Cpu;

/// <summary>Sums of products in one order, which depends on the length alone: not on where the operands lie, on how many rows there are, on
/// the format of the weight, or on the width of this machine's vectors.</summary>
/// <remarks>Four accumulators of eight lanes take 32 elements a turn, each by a fused multiply-add; then eights go to the first; then the
/// accumulators are added in pairs, the lanes in halves, and what is left one by one. TensorPrimitives promises no order.</remarks>
internal static class DotProduct
{
    private const int Lanes = 8;
    private const int Turn = 4 * Lanes;

    /// <summary>The sum of products of two rows of single precision.</summary>
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

    /// <summary>The same sum with a row of bfloat16.</summary>
    public static float Of(ReadOnlySpan<float> left, ReadOnlySpan<ushort> right)
    {
        ref var x = ref MemoryMarshal.GetReference(left);
        ref var w = ref MemoryMarshal.GetReference(right);
        Vector256<float> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= left.Length - Turn; i += Turn)
        {
            a = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i), Bfloat16.Widen(ref Unsafe.Add(ref w, i)), a);
            b = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i + Lanes), Bfloat16.Widen(ref Unsafe.Add(ref w, i + Lanes)), b);
            c = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i + (2 * Lanes)), Bfloat16.Widen(ref Unsafe.Add(ref w, i + (2 * Lanes))), c);
            d = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i + (3 * Lanes)), Bfloat16.Widen(ref Unsafe.Add(ref w, i + (3 * Lanes))), d);
        }
        for (; i <= left.Length - Lanes; i += Lanes)
            a = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i), Bfloat16.Widen(ref Unsafe.Add(ref w, i)), a);
        var sum = Sum(a, b, c, d);
        for (; i < left.Length; i++)
            sum = MathF.FusedMultiplyAdd(left[i], Bfloat16.Widen(right[i]), sum);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        var eight = (a + b) + (c + d);
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }
}
