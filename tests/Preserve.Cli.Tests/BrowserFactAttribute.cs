using System.Runtime.CompilerServices;

namespace Preserve.Cli.Tests;

/// <summary>A test that needs a browser: skipped where none is installed, unless PRESERVE_BROWSER names the one to use.</summary>
internal sealed class BrowserFactAttribute : FactAttribute
{
    private static readonly string[] _names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome.exe", "msedge.exe"];

    public BrowserFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        if (Required is null && Find() is null)
            Skip = "no Chromium, Chrome or Edge stands in PATH";
    }

    private static string? Required => Environment.GetEnvironmentVariable("PRESERVE_BROWSER");

    /// <summary>The path of the browser; null where there is none.</summary>
    public static string? Find()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var names = Required is { } required ? [required] : _names;
        return names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
