namespace Preserve.Cpu;

/// <summary>A cache, or stored activations, of one layer: what stays from step to step.</summary>
/// <param name="tensor">What it is in the plan that first named it.</param>
/// <param name="layer">Its layer.</param>
internal sealed class KeptTensor(TensorDeclaration tensor, int layer) : IDisposable
{
    /// <summary>Where it lies; it grows with what it holds.</summary>
    public NativeBuffer Buffer { get; private set; } = new(0);

    /// <summary>Tokens of each sequence that were stored, from the first on.</summary>
    public long Stored { get; private set; }

    /// <summary>What it is.</summary>
    public TensorDeclaration Tensor => tensor;

    /// <summary>Makes room.</summary>
    /// <exception cref="InvalidOperationException">There is no memory for it.</exception>
    public void Grow(long bytes)
    {
        if (Buffer.Bytes >= bytes)
            return;
        var larger = NativeBuffer.Of(bytes, $"'{tensor.Name}'");
        larger.CopyFrom(Buffer);
        Buffer.Dispose();
        Buffer = larger;
    }

    /// <summary>Notes that tokens are stored. What stands behind a gap does not count.</summary>
    public void Store(long begin, long end)
    {
        if (begin <= Stored)
            Stored = Math.Max(Stored, end);
    }

    /// <summary>Forgets the tokens from one on.</summary>
    public void Cut(long tokens) => Stored = Math.Min(Stored, tokens);

    /// <summary>Holds that a plan means the same by the tensor as the plan that stored it.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public void Check(TensorDeclaration now)
    {
        if (now.Format != tensor.Format || now.UnitBytes != tensor.UnitBytes)
            throw Bad($"was stored as {tensor.Format}, {tensor.UnitBytes} bytes a token, and the plan has it as {now.Format}, {now.UnitBytes} bytes a token");
        if (now.BlockUnits != tensor.BlockUnits)
            throw Bad($"was stored {Place(tensor)}, and the plan has it {Place(now)}");
    }

    /// <summary>Holds that tokens which an instruction reads were stored, in an earlier step or above in this one.</summary>
    /// <exception cref="InvalidOperationException">They were not.</exception>
    public void Read(string label, long begin, long end)
    {
        if (end > Stored && begin < end)
            throw new InvalidOperationException($"'{label}' reads tokens [{begin}, {end}) of {Name}, of which {Stored} were stored: a prefill comes first");
    }

    public void Dispose() => Buffer.Dispose();

    private string Name => layer < 0 ? $"'{tensor.Name}'" : $"'{tensor.Name}' of layer {layer}";

    private static string Place(TensorDeclaration declared) => declared.BlockUnits == 0 ? "in one piece" : $"in blocks of {declared.BlockUnits}";

    private InvalidOperationException Bad(string what) => new($"{Name} {what}: a prefill comes first");
}
