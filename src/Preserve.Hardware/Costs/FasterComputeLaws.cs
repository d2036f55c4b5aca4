namespace Preserve;

/// <summary>Cost laws of the same device with faster arithmetic, and with kernels that take from the L2 all that it gives: what a plan could gain
/// if no reader were bound by its own work.</summary>
/// <remarks>The rate that a kernel draws from the L2 counts what it computes and waits for meanwhile.</remarks>
internal sealed class FasterComputeLaws(ICostLaws laws, double factor) : AdjustedCostLaws(laws)
{
    protected override KernelDemand Adjust(Operation operation, in KernelDemand demand) =>
        demand with { FlopsPerPicosecond = demand.FlopsPerPicosecond * factor, L2BytesPerPicosecond = 0 };
}
