using System;

namespace Preserve;

/// <summary>The number format that a tensor is stored in.</summary>
public enum Precision
{
    /// <summary>bfloat16: 16 bits.</summary>
    Bf16,

    /// <summary>8-bit floating point (E4M3 or E5M2).</summary>
    Fp8,

    /// <summary>8-bit integer.</summary>
    Int8,

    /// <summary>4-bit integer.</summary>
    Int4,

    /// <summary>IEEE single precision: 32 bits.</summary>
    Fp32,
}

/// <summary>Sizes of the number formats.</summary>
public static class PrecisionSizes
{
    /// <summary>Bits per element.</summary>
    /// <param name="precision">A defined format.</param>
    public static int Bits(this Precision precision) => precision switch
    {
        Precision.Bf16 => 16,
        Precision.Fp8 or Precision.Int8 => 8,
        Precision.Int4 => 4,
        Precision.Fp32 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "not a defined precision"),
    };

    /// <summary>Bytes that <paramref name="elements"/> elements take, rounded up to a whole byte.</summary>
    /// <param name="precision">A defined format.</param>
    /// <param name="elements">Number of elements, 0 or more.</param>
    public static long Bytes(this Precision precision, long elements) => checked(((elements * precision.Bits()) + 7) / 8);

    /// <summary>Bits that <see cref="ScaleGroup"/> elements take with the scale that they share.</summary>
    /// <remarks>4-bit integers have a 16-bit scale in each group, 4.5 bits an element or 0.5625 bytes (as in llama.cpp's Q4_0); the wider
    /// formats are scaled by tensor, which takes nothing beside.</remarks>
    /// <param name="precision">A defined format.</param>
    public static int BitsOfGroup(this Precision precision) => (precision.Bits() * ScaleGroup) + (precision == Precision.Int4 ? 16 : 0);

    /// <summary>Bytes that <paramref name="elements"/> cached elements take with the scales of their groups, rounded up to a whole byte. Weights are
    /// counted without scales, which a model's files hold beside them.</summary>
    /// <param name="precision">A defined format.</param>
    /// <param name="elements">Number of elements of one token, 0 or more: groups do not reach over tokens.</param>
    public static long CachedBytes(this Precision precision, long elements) => precision == Precision.Int4
        ? checked(precision.Bytes(elements) + ((elements + ScaleGroup - 1) / ScaleGroup * 2))
        : precision.Bytes(elements);

    /// <summary>Elements that share a scale in <see cref="Precision.Int4"/>.</summary>
    public const int ScaleGroup = 32;
}
