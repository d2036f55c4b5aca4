using System;
using System.Collections.Generic;
using System.Linq;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>Finds the device of a deployment and whether the deployment fits its memory. Arithmetic only: the analyzers do it
/// while the declaration is typed.</summary>
internal static class DeviceResolver
{
    /// <param name="spec">A deployment that is planned wherever it fits.</param>
    /// <param name="declared">The devices of the project's own.</param>
    public static Resolution Resolve(DeploymentSpec spec, IReadOnlyList<DeclaredDevice> declared) =>
        Find(spec.Device, declared) switch
        {
            Resolution.Accepted found => Fit(spec, found),
            var missing => missing,
        };

    /// <summary>Whether nothing is known against a deployment on its device: of a device that is not known, nothing is.</summary>
    /// <param name="spec">A deployment that the rules accept.</param>
    /// <param name="declared">The devices of the project's own.</param>
    public static bool MayFit(DeploymentSpec spec, IReadOnlyList<DeclaredDevice> declared) =>
        PlanningRefusal.Of(spec) is not null || Resolve(spec, declared) is not (Resolution.DoesNotFit or Resolution.Boundless);

    /// <summary>What becomes of a device id of whatever deployment: an accepted one is there, and nothing is said of its memory.</summary>
    /// <param name="id">The id.</param>
    /// <param name="declared">The devices of the project's own.</param>
    public static Resolution Find(string id, IReadOnlyList<DeclaredDevice> declared)
    {
        var own = declared.Where(d => d.Device.Id == id).ToList();
        if (DeviceCatalogue.TryGet(id, out var device))
            return own.Count == 0 ? new Resolution.Accepted(device, null) : new Resolution.Ambiguous();
        return own.Count switch
        {
            0 => new Resolution.Unknown(DeviceCatalogue.Suggest(id, declared.Select(d => d.Device.Id))),
            1 => new Resolution.Accepted(own[0].Device, own[0].Text),
            _ => new Resolution.Ambiguous(),
        };
    }

    private static Resolution Fit(DeploymentSpec spec, Resolution.Accepted found)
    {
        var device = found.Device;
        try
        {
            var fit = MemoryFit.Of(spec, device.MemoryBytes, device.HostMemoryBytes);
            return fit.Fits ? found : new Resolution.DoesNotFit(fit);
        }
        catch (OverflowException)
        {
            return new Resolution.Boundless(device.MemoryBytes);
        }
    }
}
