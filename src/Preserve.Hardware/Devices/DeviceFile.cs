using System;

namespace Preserve;

/// <summary>Device files: JSON, one device each, with the unit of every value in its name.</summary>
/// <remarks>Needed are an id, the bf16 rate, memory and the scale-up link; what else a cost law asks for and is missing is assumed, and the
/// device lists what was. The built-in devices' files, which <see cref="DeviceCatalogue.TextOf"/> gives, show the fields; what they leave out
/// is not known of the device, or is the user's to declare: how many devices one domain joins, the skew of ranks, the size of the host's memory.</remarks>
public static class DeviceFile
{
    /// <summary>The version of the format that this library reads, the value of <c>preserve_device</c>.</summary>
    public const int Version = 1;

    /// <summary>Reads a device file and checks it: names, units by magnitude, and what physics forbids.</summary>
    /// <param name="text">The text of the file.</param>
    /// <returns>The device, or every error that was found; never both.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    public static DeviceFileResult Parse(string text)
    {
        if (text is null)
            throw new ArgumentNullException(nameof(text));
        try
        {
            return new DeviceFileReader(JsonReader.Parse(text)).Read();
        }
        catch (JsonFormatException e)
        {
            return new DeviceFileResult(null, new[] { new DeviceFileError(e.Line, e.Column, e.Message) });
        }
    }
}

/// <summary>A device, or the errors of its file.</summary>
/// <param name="Device">The device; null where there are errors.</param>
/// <param name="Errors">The errors, by line and column; empty where there is a device.</param>
public sealed record DeviceFileResult(Device? Device, EquatableArray<DeviceFileError> Errors)
{
    /// <summary>The id that the file gives, where there are errors too; null where it has none that can be read.</summary>
    public string? Id { get; init; }

    /// <summary>The line that the id stands in, counted from 1; 0 where the file has none.</summary>
    public int IdLine { get; init; }

    /// <summary>The column that the id begins at, in UTF-16 units, counted from 1; 0 where the file has none.</summary>
    public int IdColumn { get; init; }

    /// <summary>What can be and is probably not meant, by line and column; empty where there are errors.</summary>
    public EquatableArray<DeviceFileError> Doubts { get; init; }
}

/// <summary>Something that is wrong in a device file, or probably so.</summary>
/// <param name="Line">The line, counted from 1.</param>
/// <param name="Column">The column in UTF-16 units, counted from 1.</param>
/// <param name="Message">The field, its value, and what bounds it.</param>
public sealed record DeviceFileError(int Line, int Column, string Message);
