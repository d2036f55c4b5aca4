using System.IO.Compression;
using System.Runtime.InteropServices;
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
        HoldsTheToolForAnyPlatformAndNativeForOne(Path.Combine(feed, $"Preserve.Cli.{version}.nupkg"));
        var resolved = await File.ReadAllTextAsync(Directory.GetFiles(installed, "project.assets.json", SearchOption.AllDirectories).Single());
        resolved.ShouldContain($"tools/net10.0/{(RuntimeInformation.RuntimeIdentifier == "linux-x64" ? "linux-x64" : "any")}/Preserve.Cli.dll");

        var run = await Tool.RunAsync(_folder.FullName, Path.Combine(installed, OperatingSystem.IsWindows() ? "preserve.exe" : "preserve"),
            ["simulate", "--model", "llama-3-8b", "--device", "h100-sxm", "--tensor-parallel", "2", "--json"]);
        JsonDocument.Parse(run.TextOfSuccess()).RootElement.GetProperty("stepMicroseconds").GetDecimal().ShouldBeGreaterThan(0);
    }

    private static void HoldsTheToolForAnyPlatformAndNativeForOne(string path)
    {
        using var package = ZipFile.OpenRead(path);
        const string any = "tools/net10.0/any/", native = "tools/net10.0/linux-x64/";
        In(native).ShouldBe(In(any));
        foreach (var name in In(any).Where(n => n.StartsWith("Preserve.", StringComparison.Ordinal) && Path.GetExtension(n) == ".dll"))
            PackedAssembly.Read(package.GetEntry(native + name)!).ShouldBe(PackedAssembly.Read(package.GetEntry(any + name)!) with { IsNative = true }, name);
        PackedAssembly.Read(package.GetEntry(any + "Preserve.Cli.dll")!).IsNative.ShouldBeFalse();

        // What a program is run from; symbols and documentation lie beside one of the two only.
        string[] In(string folder) =>
        [
            .. package.Entries.Where(e => e.FullName.StartsWith(folder, StringComparison.Ordinal)).Select(e => e.FullName[folder.Length..])
                .Where(n => Path.GetExtension(n) is ".dll" or ".json" || n == "DotnetToolSettings.xml").Order(StringComparer.Ordinal),
        ];
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
