namespace Preserve;

/// <summary>Cost laws of the same device with a larger L2 that is as fast: what a plan could gain if the room were not short.</summary>
internal sealed class LargerL2Laws(ICostLaws laws, double factor) : ICostLaws
{
    public Device Device { get; } = laws.Device with
    {
        L2 = laws.Device.L2 with
        {
            CapacityMebibytes = laws.Device.L2.CapacityMebibytes * factor,
            UsableMebibytes = laws.Device.L2.UsableMebibytes * factor,
            LimitMebibytes = laws.Device.L2.LimitMebibytes * factor,
        },
    };

    public long EventPicoseconds => laws.EventPicoseconds;

    public double HbmBytesPerPicosecond => laws.HbmBytesPerPicosecond;

    public double L2BytesPerPicosecond => laws.L2BytesPerPicosecond;

    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes) =>
        laws.Demand(operation, context, readBytes, writtenBytes);

    public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

    public ResidualBand? Band(Operation operation) => laws.Band(operation);
}
