using System;
using System.IO;

namespace Preserve;

/// <summary>A model by what a person writes for it: a file, or the name of a published model.</summary>
public static class ModelSource
{
    private const string ConfigFile = "config.json";

    /// <summary>Reads a <c>config.json</c> where one lies, and asks the catalogue otherwise.</summary>
    /// <param name="idOrPath">The path of a file, or of a folder with a <c>config.json</c> in it, or a name of
    /// <see cref="ModelCatalogue"/>. A file's model is named by the file, or by its folder where the file is called
    /// <c>config.json</c>.</param>
    /// <returns>The model, or every error that was found. An unreadable or unsound file and an unknown name are errors, no
    /// exceptions.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="idOrPath"/> is null.</exception>
    public static ModelImportResult Load(string idOrPath)
    {
        ArgumentNullException.ThrowIfNull(idOrPath);
        if (FileOf(idOrPath) is { } file)
            return LoadFile(file);
        if (idOrPath.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return ModelImportResult.Failed($"there is no file '{ConfigReader.Shown(idOrPath)}'");
        return ModelCatalogue.Load(idOrPath);
    }

    /// <summary>The file that a path means: itself, or the <c>config.json</c> of a folder; null where there is none.</summary>
    /// <param name="idOrPath">As of <see cref="Load"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="idOrPath"/> is null.</exception>
    public static string? FileOf(string idOrPath)
    {
        ArgumentNullException.ThrowIfNull(idOrPath);
        if (File.Exists(idOrPath))
            return idOrPath;
        // The empty path would be the current folder.
        return idOrPath.Length > 0 && Path.Combine(idOrPath, ConfigFile) is var inFolder && File.Exists(inFolder) ? inFolder : null;
    }

    private static ModelImportResult LoadFile(string path)
    {
        try
        {
            // One byte more than is accepted tells a file that is too large, whatever length it gives itself.
            using var stream = File.OpenRead(path);
            var bytes = new byte[HuggingFaceConfig.MaxSize + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return HuggingFaceConfig.Parse(bytes.AsSpan(0, length), NameOf(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ModelImportResult.Failed($"the file '{ConfigReader.Shown(path)}' cannot be read: {NameRules.Printable(e.Message)}");
        }
    }

    private static string NameOf(string path)
    {
        var full = Path.GetFullPath(path);
        var name = Path.GetFileNameWithoutExtension(full);
        if (Path.GetFileName(full).Equals(ConfigFile, StringComparison.OrdinalIgnoreCase) && Path.GetFileName(Path.GetDirectoryName(full)) is { Length: > 0 } folder)
            name = folder;
        // A folder may be called what a plan cannot print.
        return NameRules.IsModelName(name) ? name : "model";
    }
}
