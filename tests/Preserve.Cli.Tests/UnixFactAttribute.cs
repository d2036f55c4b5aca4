namespace Preserve.Cli.Tests;

/// <summary>A test of pipes and devices that stand in folders, which Windows has none of.</summary>
internal sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows())
            Skip = "no pipe or device stands in a folder here";
    }
}
