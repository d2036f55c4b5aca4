namespace Preserve.Package.Tests;

/// <summary>What a user of the package does, with real projects and processes.</summary>
[Collection(PackageCollection.Name)]
public sealed class ConsumerTests(PackageFixture fixture)
{
    private static readonly string[] _ofTheRuntime = ["Preserve.Core.dll", "Preserve.Execution.dll", "Preserve.Hardware.dll", "Preserve.Runtime.dll"];

    [Fact]
    public async Task An_app_builds_runs_and_follows_its_declaration_also_when_trimmed()
    {
        var app = fixture.CreateApp();
        (await app.BuildAsync()).TextOfSuccess();
        app.Assemblies().ShouldBe(["App.dll", .. _ofTheRuntime]);
        var first = await app.RunAsync();
        first.Value("device").ShouldBe("h100-sxm");
        first.Value("ranks").ShouldBe("2");
        long.Parse(first.Value("picoseconds")).ShouldBeGreaterThan(0);

        app.Replace("Declaration.cs", "TensorParallel = 2", "TensorParallel = 4");
        (await app.BuildAsync("--no-restore")).TextOfSuccess();
        var second = await app.RunAsync();
        second.Value("ranks").ShouldBe("4");
        second.Value("picoseconds").ShouldNotBe(first.Value("picoseconds"));

        var (assemblies, published) = await app.PublishTrimmedAndRunAsync();
        published.TextOfSuccess().ShouldBe(second.TextOfSuccess());
        assemblies.ShouldNotContain("Preserve.Optimizer.dll");
        assemblies.ShouldNotContain("Preserve.Generators.dll");
        assemblies.ShouldNotContain(a => a.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_device_file_of_the_project_is_a_device()
    {
        var app = fixture.CreateApp();
        var h100 = await File.ReadAllTextAsync(Path.Combine(PackageFixture.Repository, "src", "Preserve.Hardware", "Devices", "h100-sxm.device.json"));
        app.Write("own.device.json", h100.Replace("\"h100-sxm\"", "\"own-device\"", StringComparison.Ordinal));
        app.Replace("Declaration.cs", "Devices.H100", "\"own-device\"");
        (await app.BuildAsync()).TextOfSuccess();
        (await app.RunAsync()).Value("device").ShouldBe("own-device");
    }

    [Fact]
    public async Task A_wrong_declaration_fails_the_build_at_its_place()
    {
        var app = fixture.CreateApp();
        app.Replace("Declaration.cs", "TensorParallel = 2", "TensorParallel = 3");
        var build = await app.BuildAsync();
        build.ExitCode.ShouldBe(1, build.Text);
        build.Text.ShouldMatch(@"Declaration\.cs\(15,\d+\): error PRSV\d{3}: ");
        build.Text.ShouldNotContain("error CS");
    }

    [Fact]
    public async Task A_generator_that_cannot_run_fails_the_build()
    {
        var app = fixture.CreateApp();
        (await app.RestoreAsync()).TextOfSuccess();
        // Present, but not what its name says: the compiler would go on with a warning, and leave the plans out.
        var extensions = Path.Combine(app.PackageFolder, "analyzers", "dotnet", "cs");
        File.Copy(Path.Combine(extensions, "Preserve.Core.dll"), Path.Combine(extensions, "Preserve.Optimizer.dll"), overwrite: true);
        var build = await app.BuildAsync("--no-restore");
        build.ExitCode.ShouldBe(1, build.Text);
        build.Text.ShouldNotContain("error CS0006");
        build.Text.ShouldMatch("error (CS8784|CS8785|CS8032|AD0001|CS9057): ");
    }
}
