using System.Text.Json;

namespace Preserve.Package.Tests;

/// <summary>The dotnet tool, packed, installed from a local feed, and run as its users run it.</summary>
public sealed class ToolPackageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("preserve-tool-");

    [Fact]
    public async Task The_tool_installs_from_a_feed_and_simulates()
    {
        const string version = "0.1.0-test.1";
        var feed = Path.Combine(_folder.FullName, "feed");
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        (await Tool.DotnetAsync(PackageFixture.Repository, "pack", Path.Combine("src", "Preserve.Cli"), "-c", configuration, "--no-build", "-o", feed, "-p:Version=" + version)).TextOfSuccess();

        // A cache of its own: the machine's may hold a tool of this version already.
        var installed = Path.Combine(_folder.FullName, "tools");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "NuGet.config"),
            """<configuration><config><add key="globalPackagesFolder" value="cache" /></config><packageSources><add key="preserve-under-test" value="feed" /></packageSources></configuration>""");
        (await Tool.RunAsync(_folder.FullName, Tool.Dotnet,
            ["tool", "install", "Preserve.Cli", "--version", version, "--tool-path", installed])).TextOfSuccess();

        var run = await Tool.RunAsync(_folder.FullName, Path.Combine(installed, OperatingSystem.IsWindows() ? "preserve.exe" : "preserve"),
            ["simulate", "--model", "llama-3-8b", "--device", "h100-sxm", "--tensor-parallel", "2", "--json"]);
        JsonDocument.Parse(run.TextOfSuccess()).RootElement.GetProperty("stepMicroseconds").GetDecimal().ShouldBeGreaterThan(0);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
