using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;

namespace Preserve.Cli.Output;

/// <summary>A file that an option names and the tool writes: looked at before any work, then written whole or not at all.</summary>
internal sealed class OutputFile
{
    private readonly string _option;

    private OutputFile(string option, string path, string place)
    {
        _option = option;
        Path = path;
        Place = place;
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>The full path of what is replaced: where links lead, so that a link stays one.</summary>
    private string Place { get; }

    /// <summary>An option that names a file to write. A path that cannot be one is an error of the arguments.</summary>
    public static Option<OutputFile?> Option(string name, string description, string helpName) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = argument => Parse(name, argument),
    };

    /// <summary>Finds out whether files can be written, before the work that would be lost.</summary>
    /// <param name="files">The files; null for an option that is not given.</param>
    /// <exception cref="InputException">One cannot be written, or two are the same.</exception>
    public static void Check(params OutputFile?[] files)
    {
        var places = new Dictionary<string, OutputFile>(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (var file in files.OfType<OutputFile>())
        {
            if (!places.TryAdd(file.Place, file))
                throw new InputException($"{places[file.Place]._option} and {file._option} name the same file, '{file.Path}': the second would replace the first");
        }
        foreach (var file in places.Values.Where(f => f.IsReplaced))
            file.Try(() => File.Create(file.Part, 1, FileOptions.DeleteOnClose).Dispose());
    }

    /// <summary>Refuses to replace what somebody may have gone on writing.</summary>
    /// <param name="force">The option that allows it.</param>
    /// <exception cref="InputException">The file exists, and has something in it.</exception>
    public void CheckNew(Option<bool> force)
    {
        if (File.Exists(Place) && IsReplaced)
            throw new InputException($"{_option} '{Path}' is there already: {force.Name} replaces it");
    }

    /// <summary>Writes the file. What a device or a pipe gets goes straight into it; any other file is the old one or the whole new one,
    /// whatever happens meanwhile.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public void Write(Action<Stream> write)
    {
        using var contents = new MemoryStream();
        write(contents);
        contents.Position = 0;
        Try(() =>
        {
            if (!WroteInto(contents))
                Replace(contents);
        });
    }

    /// <inheritdoc cref="Write(Action{Stream})"/>
    public void Write(string text) => Write(stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Whether a file will surely be made beside the place: there is none yet, or one with something in it, which no device or pipe
    /// has.</summary>
    private bool IsReplaced => !File.Exists(Path) || (File.Exists(Place) && new FileInfo(Place).Length > 0);

    /// <summary>A file beside the place: a file moves whole only within one file system.</summary>
    private string Part => $"{Place}.{Environment.ProcessId}.part";

    private static OutputFile? Parse(string option, ArgumentResult argument)
    {
        var path = argument.Tokens[0].Value;
        if (Fault(path) is not { } fault)
            return new OutputFile(option, path, Resolved(path));
        argument.AddError($"{option} '{path}' cannot be written: {fault}");
        return null;
    }

    private static string? Fault(string path)
    {
        if (string.IsNullOrWhiteSpace(path))
            return "the path is empty";
        if (path.StartsWith("--", StringComparison.Ordinal))
            return $"it is written like an option; a file of that name is ./{path}";
        if (Directory.Exists(path))
            return "it is a folder";
        try
        {
            if (System.IO.Path.GetDirectoryName(Resolved(path)) is { } folder && !Directory.Exists(folder))
                return $"there is no folder '{folder}'";
            return System.IO.Path.GetFileName(path).Length == 0 ? "it ends as a folder does" : null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    private static string Resolved(string path)
    {
        // Of a relative path, what a link leads to would be looked for in the root.
        var full = System.IO.Path.GetFullPath(path);
        return new FileInfo(full).LinkTarget is null ? full : File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName;
    }

    /// <summary>Writes into what holds nothing that could be lost: a device, a pipe, an empty file.</summary>
    private bool WroteInto(MemoryStream contents)
    {
        FileStream existing;
        try
        {
            existing = new FileStream(Path, FileMode.Open, FileAccess.Write);
        }
        catch (FileNotFoundException)
        {
            return false; // A link to nowhere exists too.
        }
        using (existing)
        {
            if (existing.CanSeek && existing.Length > 0)
                return false;
            contents.CopyTo(existing);
            return true;
        }
    }

    private void Replace(MemoryStream contents)
    {
        try
        {
            using (var stream = File.Create(Part))
                contents.CopyTo(stream);
            File.Move(Part, Place, overwrite: true);
        }
        catch
        {
            File.Delete(Part);
            throw;
        }
    }

    private void Try(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{_option} '{Path}' cannot be written: {e.Message}");
        }
    }
}
