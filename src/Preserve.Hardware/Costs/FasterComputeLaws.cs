namespace Preserve;

/// <summary>Cost laws of the same device with faster arithmetic, and with kernels that take from the L2 all that it gives: what a plan could gain
/// if no reader were bound by its own work.</summary>
/// <remarks>The rate that a kernel draws from the L2 counts what it computes and waits for meanwhile.</remarks>
internal sealed class FasterComputeLaws(ICostLaws laws, double factor) : ICostLaws
{
    public Device Device => laws.Device;

    public long EventPicoseconds => laws.EventPicoseconds;

    public double HbmBytesPerPicosecond => laws.HbmBytesPerPicosecond;

    public double L2BytesPerPicosecond => laws.L2BytesPerPicosecond;

    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes)
    {
        var demand = laws.Demand(operation, context, readBytes, writtenBytes);
        return demand with { FlopsPerPicosecond = demand.FlopsPerPicosecond * factor, L2BytesPerPicosecond = 0 };
    }

    public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

    public ResidualBand? Band(Operation operation) => laws.Band(operation);
}
