namespace Preserve.Generators;

/// <summary>A device of the project's own.</summary>
/// <param name="Device">The device.</param>
/// <param name="Text">The text of its file, as the plans carry it along.</param>
internal sealed record DeclaredDevice(Device Device, string Text);
