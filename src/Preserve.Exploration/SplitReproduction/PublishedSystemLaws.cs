namespace Preserve.Exploration;

/// <summary>Cost laws of the system that KVPR was evaluated with, as its baseline column shows it: each layer takes one time beside its
/// copies, whatever it computes, and what is recomputed takes what a device's law gives.</summary>
/// <remarks>All of a layer's time stands in its attention, which is the one kernel that waits for the copies.</remarks>
/// <param name="laws">The device's.</param>
/// <param name="layerPicoseconds">Time of a layer.</param>
internal sealed class PublishedSystemLaws(ICostLaws laws, long layerPicoseconds) : ICostLaws
{
    /// <summary>A rate beside which no byte takes a picosecond: memory is no limit here.</summary>
    private const double NoLimit = 1e9;

    public Device Device => laws.Device;

    public long EventPicoseconds => 0;

    public double HbmBytesPerPicosecond => NoLimit;

    public double L2BytesPerPicosecond => NoLimit;

    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes) => operation switch
    {
        AttentionOperation => new KernelDemand(layerPicoseconds),
        RecomputeOperation => laws.Demand(operation, context, readBytes, writtenBytes) with { HbmBytesPerPicosecond = 0, L2BytesPerPicosecond = 0 },
        TransferOperation => laws.Demand(operation, context, readBytes, writtenBytes) with { FixedPicoseconds = 0 },
        _ => default,
    };

    public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

    public ResidualBand? Band(Operation operation) => null;
}
