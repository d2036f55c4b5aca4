namespace Preserve.Optimizer;

/// <summary>A run of layers with a repeated pattern. The graph holds the first of its repeats; the last of them stands for
/// the last of the stack, and those between are alike.</summary>
/// <param name="FirstLayer">The first layer, as the graph counts.</param>
/// <param name="PatternLength">Layers of one repeat.</param>
/// <param name="Repeats">Repeats in the graph.</param>
/// <param name="TotalRepeats">Repeats in the model.</param>
internal sealed record LayerRun(int FirstLayer, int PatternLength, int Repeats, int TotalRepeats)
{
    /// <summary>The layer after the last, as the graph counts.</summary>
    public int EndLayer => FirstLayer + (PatternLength * Repeats);

    /// <summary>Layers of the model that the graph leaves out.</summary>
    public int OmittedLayers => PatternLength * (TotalRepeats - Repeats);
}

/// <summary>Operators that stand for several repeats of a run.</summary>
/// <param name="FirstOperator">Index of the first operator.</param>
/// <param name="OperatorCount">Operators of one repeat.</param>
/// <param name="Count">How many repeats.</param>
/// <param name="FirstLayer">The model's layer that the first repeat begins with.</param>
/// <param name="Stride">Layers of one repeat.</param>
internal sealed record FoldedRun(int FirstOperator, int OperatorCount, int Count, int FirstLayer, int Stride);
