namespace Preserve.Cli.Commands;

/// <summary>A device as a user names it: a built-in one by id, or a device file by path.</summary>
internal static class DeviceArgument
{
    /// <summary>No device file is nearly as large.</summary>
    private const int MostBytes = 1 << 20;

    /// <summary>The device, and the text of its file where it is not built in.</summary>
    /// <exception cref="InputException">There is none of that name, or the file is not sound.</exception>
    public static (Device Device, string? Text) Read(string name)
    {
        if (DeviceCatalogue.TryGet(name, out var builtIn))
            return (builtIn, null);
        if (!File.Exists(name))
        {
            var suggestion = DeviceCatalogue.Suggest(name, []);
            throw new InputException($"'{name}' is neither a built-in device nor a file{suggestion.Hint}{(suggestion.Meant is null ? ";" : "")} 'preserve devices' lists the built-in ones");
        }
        var text = InputFile.Read(name, "a device file", MostBytes);
        var result = DeviceFile.Parse(text);
        if (result.Device is null)
            throw new InputException(string.Join(Environment.NewLine + "preserve: ", result.Errors.Select(e => $"{name}:{e.Line}:{e.Column}: {e.Message}")));
        return (result.Device, text);
    }

    /// <summary>Refuses a device on which no prefetch can be planned.</summary>
    /// <exception cref="InputException">Capacity or read rate of its L2 is not known.</exception>
    public static void NeedL2(Device device)
    {
        if (device.UnknownL2 is { } unknown)
            throw new InputException($"{unknown}, so nothing can be prefetched into it; give what is missing in a device file");
    }
}
