using System;

namespace Preserve;

/// <summary>The part of what a measurement reads again and again that it finds in the L2.</summary>
/// <remarks>All up to the usable part of the L2; beyond it the share falls off over the next third.</remarks>
internal static class L2Share
{
    public static double Of(Device device, double bytes)
    {
        var usable = UsableBytes(device);
        return usable <= 0 ? 0 : Math.Min(Math.Max(1 - ((bytes - usable) / (usable / 3)), 0), 1);
    }

    public static double UsableBytes(Device device) => (device.L2.UsableMebibytes ?? 0) * (1 << 20);

    public static double CapacityBytes(Device device) => (device.L2.CapacityMebibytes ?? 0) * (1 << 20);
}
