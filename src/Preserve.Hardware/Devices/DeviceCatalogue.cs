using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Preserve;

/// <summary>The built-in devices. Each is an embedded device file, in the format of any other.</summary>
public static class DeviceCatalogue
{
    private const string Suffix = ".device.json";

    /// <summary>The ids of the built-in devices, in ordinal order.</summary>
    public static IReadOnlyList<string> Ids =>
        Resources.GetManifestResourceNames()
            .Where(n => n.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(n => n.Substring(0, n.Length - Suffix.Length))
            .OrderBy(n => n, StringComparer.Ordinal)
            .ToArray();

    // No cache: a generator keeps no state of its own, and a file is read in some tens of microseconds.
    private static Assembly Resources => typeof(DeviceCatalogue).Assembly;

    /// <summary>The text of a built-in device's file, or null where there is none of that id.</summary>
    /// <param name="id">The device's id.</param>
    public static string? TextOf(string id)
    {
        using var stream = Resources.GetManifestResourceStream(id + Suffix);
        if (stream is null)
            return null;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>A built-in device.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="device">The device, or null where there is none of that id.</param>
    public static bool TryGet(string id, [NotNullWhen(true)] out Device? device)
    {
        device = TextOf(id) is { } text ? DeviceFile.Parse(text).Device : null;
        return device is not null;
    }

    /// <summary>What an id that no device has may mean.</summary>
    /// <param name="id">The id as written.</param>
    /// <param name="extraIds">Ids beside the built-in ones, such as those of device files.</param>
    public static DeviceSuggestion Suggest(string id, IEnumerable<string> extraIds)
    {
        if (id is null)
            throw new ArgumentNullException(nameof(id));
        return DeviceSuggestion.Of(id, Ids.Concat(extraIds).ToList());
    }
}
