namespace Preserve.Cli.Output;

/// <summary>Files that the tool writes: whole, or not at all.</summary>
internal static class OutputFile
{
    /// <summary>Writes a file beside its place and moves it there.</summary>
    /// <exception cref="InputException">Its folder does not exist.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new InputException($"'{path}' cannot be written: there is no folder '{folder}'");
        var part = $"{path}.{Environment.ProcessId}.part";
        try
        {
            using (var stream = File.Create(part))
                write(stream);
            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>Writes a text file.</summary>
    public static void Write(string path, string text) => Write(path, stream =>
    {
        using var writer = new StreamWriter(stream);
        writer.Write(text);
    });
}
