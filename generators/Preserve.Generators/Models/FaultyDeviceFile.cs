namespace Preserve.Generators;

/// <summary>A device file with errors, of which no device is known.</summary>
/// <param name="Name">The file's name, without its folders.</param>
/// <param name="HasId">Whether the device's id can be read all the same.</param>
internal sealed record FaultyDeviceFile(string Name, bool HasId);
