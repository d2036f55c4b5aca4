namespace Preserve;

/// <summary>A repeat of a plan, as the simulation walks it.</summary>
/// <param name="Count">How many times its body runs.</param>
/// <param name="FirstLayer">Layer i of the first iteration.</param>
/// <param name="Stride">Layers per iteration.</param>
/// <param name="Parent">The repeat around, or -1.</param>
internal sealed record CompiledLoop(int Count, int FirstLayer, int Stride, int Parent)
{
    /// <summary>The first instruction of its body.</summary>
    public int First { get; init; }

    /// <summary>The instruction after the last of its body.</summary>
    public int End { get; init; }

    /// <summary>Whether iterations differ by their layer alone, so that a state that recurs repeats for ever: no repeat inside,
    /// and no tensor of a layer that does not move along.</summary>
    public bool Uniform { get; init; }
}
