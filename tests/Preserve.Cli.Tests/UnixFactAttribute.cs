using System.Runtime.CompilerServices;

namespace Preserve.Cli.Tests;

/// <summary>A test of pipes and devices that stand in folders, which Windows has none of.</summary>
internal sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        // What is asked there is whether a write replaces a device or a pipe: Windows keeps neither among files, so there is nothing to replace.
        if (OperatingSystem.IsWindows())
            Skip = "no pipe or device stands in a folder here";
    }
}
