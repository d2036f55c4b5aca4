using System.Diagnostics;

namespace Preserve.Cli.Tests;

/// <summary>Runs the built tool in a folder of its own.</summary>
internal sealed class PreserveTool : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("preserve-cli-");

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Names of the files that are in the folder.</summary>
    public string[] Files => [.. _folder.GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal)];

    public async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [BuiltTool.Path, .. arguments])
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
}
