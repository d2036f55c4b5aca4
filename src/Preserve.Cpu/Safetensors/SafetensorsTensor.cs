namespace Preserve.Cpu;

/// <summary>A tensor of a safetensors file, as its header says.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="Type">Its element type, as the file writes it: <c>F32</c>, <c>BF16</c>, <c>I64</c> and so on.</param>
/// <param name="Shape">Its sizes, outermost first; empty for a single number.</param>
/// <param name="Begin">Its first byte, counted from the first behind the header.</param>
/// <param name="End">The byte behind its last.</param>
public sealed record SafetensorsTensor(string Name, string Type, EquatableArray<long> Shape, long Begin, long End)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);
}
