using System.Numerics.Tensors;

namespace Preserve.Cpu;

/// <summary>What an instruction reads or writes: bytes of one rank's memory, as numbers of a format.</summary>
/// <remarks>Every access is checked against its bounds: a wrong plan computes something wrong, and touches nothing that is not its own.</remarks>
internal readonly unsafe struct Operand
{
    private readonly byte* _start;

    /// <param name="tensor">The tensor that it is a part of.</param>
    /// <param name="start">Its first byte.</param>
    /// <param name="bytes">How many.</param>
    public Operand(TensorDeclaration tensor, byte* start, long bytes)
    {
        Tensor = tensor;
        _start = start;
        Bytes = bytes;
    }

    public TensorDeclaration Tensor { get; }

    public long Bytes { get; }

    public bool IsFloat32 => Tensor.Format == Precision.Fp32;

    public int ElementBytes => IsFloat32 ? 4 : 2;

    public long Elements => Bytes / ElementBytes;

    /// <summary>The place of an element, where so many follow.</summary>
    /// <exception cref="InvalidOperationException">They are not all within the operand.</exception>
    public byte* At(long element, long count)
    {
        if (element < 0 || count < 0 || element > Elements - count)
            throw new InvalidOperationException($"{count} elements from {element} on are wanted of '{Tensor.Name}', which has {Elements} here");
        return _start + (element * ElementBytes);
    }

    /// <summary>Some of its elements by themselves.</summary>
    /// <inheritdoc cref="At"/>
    public Operand Part(long element, long count) => new(Tensor, At(element, count), count * ElementBytes);

    /// <summary>Its bytes.</summary>
    public byte* Start => _start;

    /// <summary>Reads elements.</summary>
    public void Load(long first, Span<float> values)
    {
        var from = At(first, values.Length);
        if (IsFloat32)
            new ReadOnlySpan<float>(from, values.Length).CopyTo(values);
        else
            Bfloat16.Widen(new ReadOnlySpan<ushort>(from, values.Length), values);
    }

    /// <summary>Adds elements to a sum.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="sum">The sum.</param>
    /// <param name="term">Takes what is added; as long as the sum.</param>
    public void AddTo(long first, Span<float> sum, Span<float> term)
    {
        Load(first, term);
        TensorPrimitives.Add(sum, term, sum);
    }

    /// <summary>Rounds elements to the format, as storing and reading them again would.</summary>
    public void Round(Span<float> values)
    {
        if (!IsFloat32)
            Bfloat16.Round(values);
    }

    /// <summary>Writes elements, each rounded to the format.</summary>
    public void Store(long first, ReadOnlySpan<float> values)
    {
        var to = At(first, values.Length);
        if (IsFloat32)
            values.CopyTo(new Span<float>(to, values.Length));
        else
            Bfloat16.Narrow(values, new Span<ushort>(to, values.Length));
    }
}
