using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Preserve.Cpu;

/// <summary>bfloat16: the upper half of a single-precision number.</summary>
internal static class Bfloat16
{
    /// <summary>The number, exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The nearest one; of two that are as near, the one whose last bit is 0. No number stays none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Narrow(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>A number after rounding.</summary>
    public static float Round(float value) => Widen(Narrow(value));

    /// <summary>Rounds each element.</summary>
    public static void Round(Span<float> values)
    {
        foreach (ref var value in values)
            value = Round(value);
    }

    /// <summary>Widens each element.</summary>
    public static void Widen(ReadOnlySpan<ushort> bits, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(values.Length, bits.Length);
        ref var from = ref MemoryMarshal.GetReference(bits);
        ref var to = ref MemoryMarshal.GetReference(values);
        var i = 0;
        for (; i <= bits.Length - 8; i += 8)
            Widen(ref Unsafe.Add(ref from, i)).StoreUnsafe(ref Unsafe.Add(ref to, i));
        for (; i < bits.Length; i++)
            values[i] = Widen(bits[i]);
    }

    /// <summary>Eight numbers from their place on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Widen(ref ushort bits) =>
        (Vector256.WidenLower(Vector128.LoadUnsafe(ref bits).ToVector256Unsafe()) << 16).AsSingle();

    /// <summary>Rounds each element to its bits.</summary>
    public static void Narrow(ReadOnlySpan<float> values, Span<ushort> bits)
    {
        for (var i = 0; i < values.Length; i++)
            bits[i] = Narrow(values[i]);
    }
}
