using System.Runtime.InteropServices;

namespace Preserve.Cli.Tests;

/// <summary>The tool as it was built in the configuration of these tests.</summary>
internal static class BuiltTool
{
    /// <summary>Its assembly: the one that the package has for this platform, where that was built, else the one for any.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (output.Name, output.Parent!.Name);
        var folder = output;
        while (!File.Exists(System.IO.Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("the repository is not above the tests");
        var tool = System.IO.Path.Combine(folder.FullName, "src", "Preserve.Cli", "bin", configuration, framework);
        string[] builds = [System.IO.Path.Combine(tool, RuntimeInformation.RuntimeIdentifier), tool];
        return System.IO.Path.Combine(builds.First(Directory.Exists), "Preserve.Cli.dll");
    }
}
