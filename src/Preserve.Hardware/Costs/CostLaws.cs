using System;

namespace Preserve;

/// <summary>The best cost laws that a device has constants for.</summary>
public static class CostLaws
{
    /// <summary>Calibrated laws where the device has a calibration, else the nominal ones.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public static ICostLaws For(Device device) => device switch
    {
        null => throw new ArgumentNullException(nameof(device)),
        { Calibration: not null } => new CalibratedCostLaws(device),
        _ => new NominalCostLaws(device),
    };
}
