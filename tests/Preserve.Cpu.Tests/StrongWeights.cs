namespace Preserve.Cpu.Tests;

/// <summary>Weights whose norms reach from 0.2 to 1.8 and whose biases from -1 to 1, so that each shows in the logits.</summary>
internal sealed class StrongWeights(SeededWeights weights) : IWeightSource
{
    private static readonly bool[] s_norms = [.. Enum.GetNames<WeightKind>().Select(n => n.EndsWith("Norm", StringComparison.Ordinal))];
    private static readonly bool[] s_biases = [.. Enum.GetNames<WeightKind>().Select(n => n.EndsWith("Bias", StringComparison.Ordinal))];

    /// <summary>Constants of which each shows in the logits: the bounds bend most of the scores and logits, and the epsilon is not small beside a row's squares.</summary>
    public static ModelConstants Constants { get; } = new(NormEpsilon: 0.25f, RotaryBase: 100, AttentionSoftCap: 0.75f, LogitSoftCap: 1.5f,
        ScoreFactor: 0.625f, EmbeddingFactor: 3, WindowRotaryBase: 20);

    public void Read(WeightName weight, int row, int column, Span<float> values)
    {
        weights.Read(weight, row, column, values);
        foreach (ref var value in values)
        {
            if (s_norms[(int)weight.Kind])
                value = 1 + (8 * (value - 1));
            else if (s_biases[(int)weight.Kind])
                value *= 10;
        }
    }
}
