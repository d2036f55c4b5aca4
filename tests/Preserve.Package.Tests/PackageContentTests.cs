using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
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
            using var file = Open(entry);
            FrameworkOf(file.GetMetadataReader()).ShouldBe(
                entry.FullName.StartsWith("lib/", StringComparison.Ordinal) ? ".NETCoreApp,Version=v10.0" : ".NETStandard,Version=v2.0",
                entry.FullName);
        }
    }

    [Fact]
    public void What_is_compiled_ahead_of_time_is_native_and_the_same_assembly()
    {
        foreach (var entry in _package.Entries.Where(e => e.FullName.StartsWith("tools/", StringComparison.Ordinal)))
        {
            using var ahead = Open(entry);
            using var anywhere = Open(_package.GetEntry("analyzers/dotnet/cs/" + entry.Name)!);
            ahead.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size.ShouldBeGreaterThan(0, entry.FullName);
            anywhere.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size.ShouldBe(0, entry.FullName);
            VersionOf(ahead).ShouldBe(VersionOf(anywhere), entry.FullName);
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

    private static PEReader Open(ZipArchiveEntry entry)
    {
        var copy = new MemoryStream();
        using (var stream = entry.Open())
            stream.CopyTo(copy);
        copy.Position = 0;
        return new PEReader(copy);
    }

    /// <summary>The identifier that the compiler gave this and no other build.</summary>
    private static Guid VersionOf(PEReader file)
    {
        var reader = file.GetMetadataReader();
        return reader.GetGuid(reader.GetModuleDefinition().Mvid);
    }

    /// <summary>The framework that an assembly says it was built for.</summary>
    private static string FrameworkOf(MetadataReader reader)
    {
        foreach (var attribute in reader.GetAssemblyDefinition().GetCustomAttributes().Select(reader.GetCustomAttribute))
        {
            if (attribute.Constructor.Kind != HandleKind.MemberReference)
                continue;
            var type = reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
            if (type.Kind == HandleKind.TypeReference && reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name) == "TargetFrameworkAttribute")
            {
                var value = reader.GetBlobReader(attribute.Value);
                value.ReadUInt16(); // the prolog
                return value.ReadSerializedString()!;
            }
        }
        return "none";
    }
}
