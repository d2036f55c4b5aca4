namespace Preserve;

/// <summary>Cost laws of the same device with faster arithmetic, and the rest as it is: what a plan could gain if no kernel were bound by it.</summary>
internal sealed class FasterComputeLaws(ICostLaws laws, double factor) : ICostLaws
{
    public Device Device => laws.Device;

    public long EventPicoseconds => laws.EventPicoseconds;

    public double HbmBytesPerPicosecond => laws.HbmBytesPerPicosecond;

    public double L2BytesPerPicosecond => laws.L2BytesPerPicosecond;

    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes)
    {
        var demand = laws.Demand(operation, context, readBytes, writtenBytes);
        return demand with { FlopsPerPicosecond = demand.FlopsPerPicosecond * factor };
    }

    public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

    public ResidualBand? Band(Operation operation) => laws.Band(operation);
}
