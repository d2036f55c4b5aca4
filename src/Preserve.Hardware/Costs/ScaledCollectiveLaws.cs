namespace Preserve;

/// <summary>Cost laws with every collective so many times as long: what a plan gives where the links are slower, or faster, than the model
/// says. A collective's own traffic through memory stays.</summary>
internal sealed class ScaledCollectiveLaws(ICostLaws laws, double factor) : AdjustedCostLaws(laws)
{
    protected override KernelDemand Adjust(Operation operation, in KernelDemand demand) => operation is not CollectiveOperation ? demand : demand with
    {
        FixedPicoseconds = Picoseconds.Ceiling(demand.FixedPicoseconds * factor),
        LinkBytes = demand.LinkBytes * factor,
    };
}
