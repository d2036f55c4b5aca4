using System.IO.Compression;
using System.Xml.Linq;

namespace Preserve.Package.Tests;

public sealed class PackageContentTests(PackageFixture fixture) : IDisposable
{
    private readonly ZipArchive _package = ZipFile.OpenRead(fixture.Package);

    public void Dispose() => _package.Dispose();

    [Fact]
    public void It_holds_the_runtime_the_generator_and_what_the_generator_loads() =>
        _package.Entries.Select(e => e.FullName)
            .Where(n => !n.StartsWith("_rels/", StringComparison.Ordinal) && !n.StartsWith("package/", StringComparison.Ordinal) && n != "[Content_Types].xml")
            .ShouldBe(
                [
                    "LICENSE",
                    "Preserve.nuspec",
                    "README.md",
                    "analyzers/dotnet/cs/Preserve.CodeFixes.dll",
                    "analyzers/dotnet/cs/Preserve.Core.dll",
                    "analyzers/dotnet/cs/Preserve.Execution.dll",
                    "analyzers/dotnet/cs/Preserve.Generators.dll",
                    "analyzers/dotnet/cs/Preserve.Hardware.dll",
                    "analyzers/dotnet/cs/Preserve.Optimizer.dll",
                    "buildTransitive/Preserve.ShowPlans.globalconfig",
                    "buildTransitive/Preserve.props",
                    "buildTransitive/Preserve.targets",
                    "lib/net10.0/Preserve.Core.dll",
                    "lib/net10.0/Preserve.Core.xml",
                    "lib/net10.0/Preserve.Execution.dll",
                    "lib/net10.0/Preserve.Execution.xml",
                    "lib/net10.0/Preserve.Hardware.dll",
                    "lib/net10.0/Preserve.Hardware.xml",
                    "lib/net10.0/Preserve.Runtime.dll",
                    "lib/net10.0/Preserve.Runtime.xml",
                    "tools/linux-x64/Preserve.CodeFixes.dll",
                    "tools/linux-x64/Preserve.Core.dll",
                    "tools/linux-x64/Preserve.Execution.dll",
                    "tools/linux-x64/Preserve.Generators.dll",
                    "tools/linux-x64/Preserve.Hardware.dll",
                    "tools/linux-x64/Preserve.Optimizer.dll",
                ],
                ignoreOrder: true);

    [Fact]
    public void The_compiler_gets_the_builds_that_it_can_load_and_an_app_those_made_for_it()
    {
        foreach (var entry in _package.Entries.Where(e => e.FullName.EndsWith(".dll", StringComparison.Ordinal)))
        {
            PackedAssembly.Read(entry).Framework.ShouldBe(
                entry.FullName.StartsWith("lib/", StringComparison.Ordinal) ? ".NETCoreApp,Version=v10.0" : ".NETStandard,Version=v2.0",
                entry.FullName);
        }
    }

    [Fact]
    public void What_is_compiled_ahead_of_time_is_native_and_the_same_assembly()
    {
        foreach (var entry in _package.Entries.Where(e => e.FullName.StartsWith("tools/", StringComparison.Ordinal)))
        {
            var anywhere = PackedAssembly.Read(_package.GetEntry("analyzers/dotnet/cs/" + entry.Name)!);
            anywhere.IsNative.ShouldBeFalse(entry.FullName);
            PackedAssembly.Read(entry).ShouldBe(anywhere with { IsNative = true }, entry.FullName);
        }
    }

    [Fact]
    public void It_says_what_it_is_and_needs_no_other_package()
    {
        using var stream = _package.GetEntry("Preserve.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().Single();
        string? Value(string name) => metadata.Elements().SingleOrDefault(e => e.Name.LocalName == name)?.Value;
        Value("id").ShouldBe("Preserve");
        Value("version").ShouldBe(fixture.Version);
        Value("license").ShouldBe("Apache-2.0");
        Value("readme").ShouldBe("README.md");
        metadata.Descendants().ShouldNotContain(e => e.Name.LocalName == "dependency");
    }
}
