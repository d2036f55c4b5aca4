using System.Runtime.InteropServices;
using System.Text.Json;
using Preserve.Cli.Tests;

namespace Preserve.Package.Tests;

/// <summary>What the build of a project that uses the package makes of its files, and of faults.</summary>
public sealed class ConsumerBuildTests(PackageFixture fixture)
{
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
    public async Task What_the_tool_declares_is_planned_as_the_tool_plans_it()
    {
        string[] deployment = ["--model", "gemma-2-27b", "--device", "h100-sxm", "--tensor-parallel", "2", "--batch", "2", "--context", "500", "--weights", "fp8", "--activations", "fp8"];
        var app = fixture.CreateApp();
        app.Write("Declaration.cs", (await Tool.ProgramAsync(BuiltTool.Path, ["declare", .. deployment, "--namespace", "App"])).TextOfSuccess());
        app.Replace("Program.cs", "SmallDeployed", "Gemma2_27b_OnH100");
        (await app.BuildAsync()).TextOfSuccess();
        var simulated = JsonDocument.Parse((await Tool.ProgramAsync(BuiltTool.Path, ["simulate", .. deployment, "--json"])).TextOfSuccess()).RootElement;
        (await app.RunAsync()).Value("picoseconds").ShouldBe($"{1_000_000 * simulated.GetProperty("stepMicroseconds").GetDecimal():0}");
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
    public async Task The_plans_are_shown_where_asked_for_and_held_to_what_is_asked_of_them()
    {
        const string summary = @"Declaration\.cs\(17,29\): warning PRSV201: decode batch 2 context 1024: [0-9,.]+ us \(80 %: ";
        var app = fixture.CreateApp();
        (await app.BuildAsync()).TextOfSuccess().ShouldNotContain("PRSV201");
        var shown = await app.BuildAsync("--no-restore", "--no-incremental", "-p:PreserveShowPlans=true", "-p:TreatWarningsAsErrors=true");
        shown.TextOfSuccess().ShouldMatch(summary);
        (await app.BuildAsync("--no-restore", "--no-incremental", "-p:PreserveShowPlans=true", "-warnaserror")).TextOfSuccess().ShouldMatch(summary);

        app.Write(".editorconfig", "root = true\n[*.cs]\npreserve_minimum_speedup = 9\n");
        (await app.BuildAsync("--no-restore", "--no-incremental")).TextOfSuccess().ShouldMatch(@"Declaration\.cs\(17,29\): warning PRSV202: ");
        var held = await app.BuildAsync("--no-restore", "--no-incremental", "-p:TreatWarningsAsErrors=true");
        held.ExitCode.ShouldBe(1, held.Text);
        held.Text.ShouldMatch(@"Declaration\.cs\(17,29\): error PRSV202: 'SmallDeployed', decode batch 2 context 1024: [0-9.]+ times as fast as the base plan, and preserve_minimum_speedup asks for 9");
    }

    [Fact]
    public async Task Where_it_is_compiled_ahead_of_time_the_compiler_plans_without_the_jit_and_makes_the_same_plan()
    {
        const string planned = " Preserve.Optimizer.Planner:Plan(";
        Assert.SkipUnless(RuntimeInformation.RuntimeIdentifier == "linux-x64", "the package is compiled ahead of time for linux-x64");
        var app = fixture.CreateApp();
        var ahead = await app.BuildWatchedAsync();
        var anywhere = await app.BuildWatchedAsync("-p:NETCoreSdkPortableRuntimeIdentifier=another-platform");
        ahead.Jitted.ShouldContain(" JIT compiled ");
        ahead.Jitted.ShouldNotContain(planned);
        anywhere.Jitted.ShouldContain(planned);
        ahead.Generated.ShouldContain("SmallDeployed");
        ahead.Generated.ShouldBe(anywhere.Generated);
    }

    [Fact]
    public async Task A_generator_that_cannot_run_fails_the_build()
    {
        var app = fixture.CreateApp();
        (await app.RestoreAsync()).TextOfSuccess();
        // Present, but not what its name says: the compiler would go on with a warning, and leave the plans out.
        foreach (var extensions in new[] { Path.Combine("analyzers", "dotnet", "cs"), Path.Combine("tools", "linux-x64") }.Select(f => Path.Combine(app.PackageFolder, f)))
            File.Copy(Path.Combine(extensions, "Preserve.Core.dll"), Path.Combine(extensions, "Preserve.Optimizer.dll"), overwrite: true);
        var build = await app.BuildAsync("--no-restore");
        build.ExitCode.ShouldBe(1, build.Text);
        build.Text.ShouldNotContain("error CS0006");
        build.Text.ShouldMatch("error (CS8784|CS8785|CS8032|AD0001|CS9057): ");
    }
}
