namespace Preserve;

/// <summary>A size of the specification that a config gives under some key.</summary>
/// <param name="Property">Its name in the specification, as the faults of <see cref="ModelRules"/> name it.</param>
/// <param name="Range">The range that the specification accepts.</param>
internal sealed record SizeKind(string Property, ValueRange Range)
{
    public static readonly SizeKind Hidden = new(nameof(ModelSpec.Hidden), SpecificationLimits.Hidden);
    public static readonly SizeKind Vocabulary = new(nameof(ModelSpec.Vocabulary), SpecificationLimits.Vocabulary);
    public static readonly SizeKind Positions = new(nameof(ModelSpec.MaxPositions), SpecificationLimits.MaxPositions);
    public static readonly SizeKind Layers = new(nameof(LayerGroup.Repeat), SpecificationLimits.LayerCount);
    public static readonly SizeKind Heads = new(nameof(MultiHeadAttentionSpec.Heads), SpecificationLimits.Heads);
    public static readonly SizeKind KeyValueHeads = new(nameof(MultiHeadAttentionSpec.KeyValueHeads), SpecificationLimits.KeyValueHeads);
    public static readonly SizeKind HeadSize = new(nameof(MultiHeadAttentionSpec.HeadSize), SpecificationLimits.HeadSize);
    public static readonly SizeKind Window = new(nameof(MultiHeadAttentionSpec.Window), SpecificationLimits.Window);
    public static readonly SizeKind Intermediate = new(nameof(DenseFeedForwardSpec.Intermediate), SpecificationLimits.Intermediate);
}
