namespace Preserve.Package.Tests;

/// <summary>What a user of the package does, with real projects and processes.</summary>
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
}
