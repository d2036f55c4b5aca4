using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>A system that tables name, and what of it the tables do not say.</summary>
/// <param name="Name">Its name in the tables.</param>
/// <param name="DeviceId">The built-in device.</param>
/// <param name="Multiprocessors">Its multiprocessors, by the vendor's architecture paper.</param>
public sealed record MeasuredSystem(string Name, string DeviceId, int Multiprocessors)
{
    /// <summary>The systems whose devices are built in.</summary>
    public static IReadOnlyList<MeasuredSystem> All { get; } =
    [
        new("a100_sxm", "a100-80-sxm", 108),
        new("b200_sxm", "b200-sxm", 148),
        new("h100_sxm", "h100-sxm", 132),
        new("h200_sxm", "h200-sxm", 132),
    ];

    /// <summary>The system of a name, or null where it is not known.</summary>
    /// <param name="name">The name in the tables.</param>
    public static MeasuredSystem? Of(string name)
    {
        foreach (var system in All)
        {
            if (string.Equals(system.Name, name, StringComparison.Ordinal))
                return system;
        }
        return null;
    }
}
