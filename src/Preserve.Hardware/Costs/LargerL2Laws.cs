namespace Preserve;

/// <summary>Cost laws of the same device with a larger L2 that is as fast: what a plan could gain if the room were not short.</summary>
internal sealed class LargerL2Laws(ICostLaws laws, double factor) : AdjustedCostLaws(laws)
{
    public override Device Device { get; } = laws.Device with
    {
        L2 = laws.Device.L2 with
        {
            CapacityMebibytes = laws.Device.L2.CapacityMebibytes * factor,
            UsableMebibytes = laws.Device.L2.UsableMebibytes * factor,
            LimitMebibytes = laws.Device.L2.LimitMebibytes * factor,
        },
    };
}
