namespace Preserve.Exploration;

/// <summary>One declared constant of a cost model.</summary>
/// <param name="Name">Its name, which ends with its unit.</param>
/// <param name="Value">Its value in that unit.</param>
/// <param name="Assumed">Whether it is an assumption and not a published figure.</param>
/// <param name="Source">Where the value comes from.</param>
public sealed record CostConstant(string Name, double Value, bool Assumed, string Source);
