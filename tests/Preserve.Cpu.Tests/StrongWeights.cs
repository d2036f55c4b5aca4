namespace Preserve.Cpu.Tests;

/// <summary>Weights whose norms reach from 0.2 to 1.8 and whose biases from -1 to 1, so that each shows in the logits.</summary>
internal sealed class StrongWeights(SeededWeights weights) : IWeightSource
{
    public void Read(WeightName weight, int row, int column, Span<float> values)
    {
        weights.Read(weight, row, column, values);
        var name = weight.Kind.ToString();
        foreach (ref var value in values)
        {
            if (name.EndsWith("Norm", StringComparison.Ordinal))
                value = 1 + (8 * (value - 1));
            else if (name.EndsWith("Bias", StringComparison.Ordinal))
                value *= 10;
        }
    }
}
