namespace Preserve;

/// <summary>Cost laws of the same device with a memory and an L2 that serve several kernels at once, each as fast as it is alone: what a plan
/// could gain if none took from another.</summary>
internal sealed class WiderMemoryLaws(ICostLaws laws, double factor) : AdjustedCostLaws(laws)
{
    private readonly double _hbm = laws.HbmBytesPerPicosecond;
    private readonly double _l2 = laws.L2BytesPerPicosecond;

    public override double HbmBytesPerPicosecond => _hbm * factor;

    public override double L2BytesPerPicosecond => _l2 * factor;

    protected override KernelDemand Adjust(Operation operation, in KernelDemand demand) => demand with
    {
        HbmBytesPerPicosecond = AtMost(demand.HbmBytesPerPicosecond, _hbm),
        L2BytesPerPicosecond = AtMost(demand.L2BytesPerPicosecond, _l2),
    };

    private static double AtMost(double kernel, double resource) => kernel > 0 && kernel < resource ? kernel : resource;
}
