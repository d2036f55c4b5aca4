using System;
using System.Linq;

namespace Preserve;

/// <summary>How many ranks the links of a device are known to join. Times of a larger group are those of one domain all the same.</summary>
public static class GroupReach
{
    /// <summary>What is to be known of a group that is larger than that.</summary>
    /// <param name="device">The device.</param>
    /// <param name="ranks">Ranks of the group.</param>
    /// <returns>One sentence with both sizes; null where the group is not larger.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public static string? Beyond(Device device, int ranks)
    {
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        var kind = device.ScaleUp.Kind;
        if (device.ScaleUp.Ranks is { } joined)
            return ranks > joined ? $"{ranks} ranks are more than the {joined} that one domain of {kind} joins: the slower links between domains are not in these times" : null;
        var measured = device.Calibration?.Collectives.Select(c => c.Ranks).DefaultIfEmpty().Max() ?? 0;
        if (measured > 0)
        {
            return ranks > measured
                ? $"collectives were measured over {measured} ranks at most: those of {ranks} take the device file's rates of collectives, as if one domain of {kind} joined all of them; scale_up.ranks of a device file says how many it joins"
                : null;
        }
        return ranks > DeviceAssumptions.ServerRanks
            ? $"{ranks} ranks are more than the {DeviceAssumptions.ServerRanks} of one server, and how many {kind} joins is neither measured nor said: these times are as if one domain joined all of them; scale_up.ranks of a device file says how many it joins"
            : null;
    }
}
