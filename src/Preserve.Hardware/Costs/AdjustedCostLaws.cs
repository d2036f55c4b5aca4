namespace Preserve;

/// <summary>The laws of a machine that differs from another in one thing, and is like it in all else.</summary>
internal abstract class AdjustedCostLaws(ICostLaws laws) : ICostLaws
{
    public virtual Device Device => laws.Device;

    public virtual long EventPicoseconds => laws.EventPicoseconds;

    public virtual double HbmBytesPerPicosecond => laws.HbmBytesPerPicosecond;

    public virtual double L2BytesPerPicosecond => laws.L2BytesPerPicosecond;

    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes) =>
        Adjust(operation, laws.Demand(operation, context, readBytes, writtenBytes));

    public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

    public ResidualBand? Band(Operation operation) => laws.Band(operation);

    /// <summary>What an operation demands on this machine.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="demand">What it demands on the other.</param>
    protected virtual KernelDemand Adjust(Operation operation, in KernelDemand demand) => demand;
}
