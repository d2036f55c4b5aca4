using System.Diagnostics;

namespace Preserve.Cli.Tests;

/// <summary>Runs the built tool in a folder of its own.</summary>
internal sealed class PreserveTool : IDisposable
{
    private static readonly string _assembly = Find();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("preserve-cli-");

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Names of the files that are in the folder.</summary>
    public string[] Files => [.. _folder.GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal)];

    public async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [_assembly, .. arguments])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }

    public async Task<string> SucceedAsync(params string[] arguments)
    {
        var (exitCode, output, errors) = await RunAsync(arguments);
        exitCode.ShouldBe(0, errors);
        errors.ShouldBeEmpty();
        return output;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The tool of the configuration that these tests were built in.</summary>
    private static string Find()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (output.Name, output.Parent!.Name);
        var folder = output;
        while (!File.Exists(Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("the repository is not above the tests");
        return Path.Combine(folder.FullName, "src", "Preserve.Cli", "bin", configuration, framework, "Preserve.Cli.dll");
    }
}
