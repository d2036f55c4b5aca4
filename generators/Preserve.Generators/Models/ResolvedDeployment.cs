namespace Preserve.Generators;

/// <summary>All that plans depend on: a deployment and its device.</summary>
/// <param name="Declaration">The deployment.</param>
/// <param name="Device">The device.</param>
/// <param name="DeviceText">The text of the device's file, or null for a built-in device.</param>
internal sealed record ResolvedDeployment(DeploymentDeclaration Declaration, Device Device, string? DeviceText);
