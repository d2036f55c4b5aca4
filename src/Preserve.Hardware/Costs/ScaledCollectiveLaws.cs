using System;

namespace Preserve;

/// <summary>Cost laws with every collective so many times as long: what a plan gives where the links are slower, or faster, than the model
/// says. A collective's own traffic through memory stays.</summary>
internal sealed class ScaledCollectiveLaws(ICostLaws laws, double factor) : ICostLaws
{
    public Device Device => laws.Device;

    public long EventPicoseconds => laws.EventPicoseconds;

    public double HbmBytesPerPicosecond => laws.HbmBytesPerPicosecond;

    public double L2BytesPerPicosecond => laws.L2BytesPerPicosecond;

    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes)
    {
        var demand = laws.Demand(operation, context, readBytes, writtenBytes);
        return operation is not CollectiveOperation ? demand : demand with
        {
            FixedPicoseconds = Picoseconds.Ceiling(demand.FixedPicoseconds * factor),
            LinkBytes = demand.LinkBytes * factor,
        };
    }

    public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

    public ResidualBand? Band(Operation operation) => laws.Band(operation);
}
