namespace Preserve.Cpu;

/// <summary>One weight of a model.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Layer">Of which layer, counted from 0; -1 for one of no layer.</param>
public readonly record struct WeightName(WeightKind Kind, int Layer)
{
    /// <summary>The kind, and its layer where it has one, as messages tell it.</summary>
    public override string ToString() => Layer < 0 ? $"{Kind}" : $"{Kind} of layer {Layer}";
}
