using System.Text;

namespace Preserve.Cli;

/// <summary>A text that a user gives by its path, a plain file or whatever else can be read.</summary>
internal static class InputFile
{
    /// <summary>Reads a text of UTF-8.</summary>
    /// <param name="path">Where it is; there is such a file.</param>
    /// <param name="what">What it should be, as messages tell it.</param>
    /// <param name="mostBytes">More bytes than any such file has: a device may have no end.</param>
    /// <exception cref="InputException">It has more.</exception>
    public static string Read(string path, string what, int mostBytes)
    {
        using var file = File.OpenRead(path);
        var length = file.CanSeek ? file.Length : 0;
        var bytes = length > mostBytes ? [] : new byte[mostBytes + 1];
        var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > mostBytes || read > mostBytes)
            throw new InputException($"{path} has {(length > mostBytes ? $"{length:#,0}" : $"more than {mostBytes:#,0}")} bytes, {what} has at most {mostBytes:#,0}");
        using var text = new StreamReader(new MemoryStream(bytes, 0, read), Encoding.UTF8);
        return text.ReadToEnd();
    }
}
