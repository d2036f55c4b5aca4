namespace Preserve.Cpu.Tests;

/// <summary>Weights of which each read is told before it is made.</summary>
internal sealed class WatchedWeights(IWeightSource weights, Action beforeEach) : IWeightSource
{
    public void Read(WeightName weight, int row, int column, Span<float> values)
    {
        beforeEach();
        weights.Read(weight, row, column, values);
    }
}
