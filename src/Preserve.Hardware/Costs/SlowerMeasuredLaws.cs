namespace Preserve;

/// <summary>Cost laws with every kernel that was measured so many times as long, and all others as they were: how far a time follows what was
/// measured.</summary>
internal sealed class SlowerMeasuredLaws(ICostLaws laws, double factor) : AdjustedCostLaws(laws)
{
    protected override KernelDemand Adjust(Operation operation, in KernelDemand demand) =>
        Band(operation) is null ? demand : PerturbedCostLaws.Scaled(demand, operation, this, factor);
}
