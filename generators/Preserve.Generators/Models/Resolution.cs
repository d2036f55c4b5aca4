namespace Preserve.Generators;

/// <summary>What became of the device id of a deployment. A closed family.</summary>
internal abstract record Resolution
{
    private Resolution()
    {
    }

    /// <summary>The device is known, and the deployment fits it.</summary>
    /// <param name="Device">The device.</param>
    /// <param name="DeviceText">The text of its file, or null for a built-in device.</param>
    public sealed record Accepted(Device Device, string? DeviceText) : Resolution;

    /// <summary>No device has the id.</summary>
    /// <param name="Suggestion">What it may mean.</param>
    public sealed record Unknown(DeviceSuggestion Suggestion) : Resolution;

    /// <summary>Several devices have the id; their files are at fault.</summary>
    public sealed record Ambiguous : Resolution;

    /// <summary>The deployment does not fit the device's memory.</summary>
    /// <param name="Fit">Its sizes.</param>
    public sealed record DoesNotFit(Optimizer.MemoryFit Fit) : Resolution;

    /// <summary>The sizes do not even fit 64 bits.</summary>
    /// <param name="AvailableBytes">Memory of the device.</param>
    public sealed record Boundless(long AvailableBytes) : Resolution;
}
