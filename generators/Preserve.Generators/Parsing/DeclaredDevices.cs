using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Finds and reads the device files of a project.</summary>
internal static class DeclaredDevices
{
    public static bool IsDeviceFile(AdditionalText file) => file.Path.EndsWith(".device.json", StringComparison.OrdinalIgnoreCase);

    /// <summary>The device of a file, or null where the file has errors.</summary>
    public static DeclaredDevice? Read(AdditionalText file, CancellationToken cancellation)
    {
        if (file.GetText(cancellation)?.ToString() is not { } text)
            return null;
        return DeviceFile.Parse(text).Device is { } device ? new DeclaredDevice(device, OneLineEnd(text)) : null;
    }

    /// <summary>All devices of a project, read once for a compilation, and only where a deployment asks for them.</summary>
    public static Lazy<IReadOnlyList<DeclaredDevice>> ReadOnce(IEnumerable<AdditionalText> files, CancellationToken cancellation) =>
        new(() => ReadAll(files, cancellation), LazyThreadSafetyMode.PublicationOnly);

    /// <summary>All devices of a project, in the order of their files.</summary>
    public static IReadOnlyList<DeclaredDevice> ReadAll(IEnumerable<AdditionalText> files, CancellationToken cancellation) =>
        files.Where(IsDeviceFile).Select(f => Read(f, cancellation)).OfType<DeclaredDevice>().ToList();

    /// <summary>The file with errors that may be meant to declare a device: the first whose id is that of the device, or else the first whose id cannot
    /// be read. Null where there is none.</summary>
    public static FaultyDeviceFile? FaultyFileOf(string id, IEnumerable<AdditionalText> files, CancellationToken cancellation)
    {
        FaultyDeviceFile? unreadable = null;
        foreach (var file in files.Where(IsDeviceFile))
        {
            if (file.GetText(cancellation)?.ToString() is not { } text || DeviceFile.Parse(text) is not { Device: null } faulty)
                continue;
            if (faulty.Id == id)
                return new FaultyDeviceFile(NameOf(file), HasId: true);
            if (faulty.Id is null)
                unreadable ??= new FaultyDeviceFile(NameOf(file), HasId: false);
        }
        return unreadable;
    }

    /// <summary>The name of a file, without its folders.</summary>
    public static string NameOf(AdditionalText file) => file.Path.Substring(file.Path.LastIndexOfAny(['/', '\\']) + 1);

    /// <summary>The same JSON with one kind of line end. The others that C# knows can stand only inside JSON's texts, where
    /// they have an escape; unescaped they would break the literal that carries the text.</summary>
    private static string OneLineEnd(string text) => text
        .Replace("\r\n", "\n").Replace('\r', '\n')
        .Replace("\u0085", "\\u0085").Replace("\u2028", "\\u2028").Replace("\u2029", "\\u2029")
        .TrimEnd('\n');
}
