namespace Preserve;

/// <summary>Cost laws of the same device with a memory and an L2 that serve several kernels at once, each as fast as it is alone: what a plan
/// could gain if none took from another.</summary>
internal sealed class WiderMemoryLaws(ICostLaws laws, double factor) : ICostLaws
{
    public Device Device => laws.Device;

    public long EventPicoseconds => laws.EventPicoseconds;

    public double HbmBytesPerPicosecond => laws.HbmBytesPerPicosecond * factor;

    public double L2BytesPerPicosecond => laws.L2BytesPerPicosecond * factor;

    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes)
    {
        var demand = laws.Demand(operation, context, readBytes, writtenBytes);
        return demand with
        {
            HbmBytesPerPicosecond = AtMost(demand.HbmBytesPerPicosecond, laws.HbmBytesPerPicosecond),
            L2BytesPerPicosecond = AtMost(demand.L2BytesPerPicosecond, laws.L2BytesPerPicosecond),
        };
    }

    public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

    public ResidualBand? Band(Operation operation) => laws.Band(operation);

    private static double AtMost(double kernel, double resource) => kernel > 0 && kernel < resource ? kernel : resource;
}
