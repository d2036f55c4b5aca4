using System;
using System.Collections.Generic;
using System.Linq;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>Finds the device of a deployment and whether the deployment fits its memory. Arithmetic only: the analyzers do it
/// while the declaration is typed.</summary>
internal static class DeviceResolver
{
    /// <param name="spec">A deployment that keeps the other rules.</param>
    /// <param name="declared">The devices of the project's own.</param>
    public static Resolution Resolve(DeploymentSpec spec, IReadOnlyList<DeclaredDevice> declared)
    {
        var own = declared.Where(d => d.Device.Id == spec.Device).ToList();
        if (DeviceCatalogue.TryGet(spec.Device, out var device))
            return own.Count == 0 ? Fit(spec, device, null) : new Resolution.Ambiguous();
        return own.Count switch
        {
            0 => new Resolution.Unknown(DeviceCatalogue.Nearest(spec.Device, declared.Select(d => d.Device.Id))),
            1 => Fit(spec, own[0].Device, own[0].Text),
            _ => new Resolution.Ambiguous(),
        };
    }

    private static Resolution Fit(DeploymentSpec spec, Device device, string? text)
    {
        if (PlanningRefusal.Of(spec) is { } refusal)
            return new Resolution.NotPlanned(refusal);
        try
        {
            var fit = MemoryFit.Of(spec, device.MemoryBytes, device.HostMemoryBytes);
            return fit.Fits ? new Resolution.Accepted(device, text) : new Resolution.DoesNotFit(fit);
        }
        catch (OverflowException)
        {
            return new Resolution.Boundless(device.MemoryBytes);
        }
    }
}
