using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using Preserve.Cli.Tests;

namespace Preserve.Package.Tests;

/// <summary>The template of the packed package, used as <c>dotnet new</c> uses it.</summary>
public sealed class TemplateTests(PackageFixture fixture)
{
    [Fact]
    public async Task A_new_app_follows_its_parameters_and_says_what_the_tool_says()
    {
        var folder = fixture.CreateFolder();
        await SucceedAsync("new", "install", fixture.Templates);
        await SucceedAsync("new", "preserve", "-o", "My.App", "--device", "h200-sxm", "--tensor-parallel", "4", "--batch", "16", "--context", "2000");
        Directory.GetFiles(Path.Combine(folder, "My.App")).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(["Deployment.cs", "My.App.csproj", "Program.cs"]);
        (await File.ReadAllTextAsync(Path.Combine(folder, "My.App", "Deployment.cs"))).ShouldContain("Devices.H200, TensorParallel = 4)]\n[Decode(Batch = 16, Context = 2000)]");

        var built = await SucceedAsync("build", "My.App");
        built.ShouldMatch(@"Deployment\.cs\(19,\d+\): warning PRSV201: .*decode batch 16 context 2000");
        var text = await SucceedAsync("run", "--project", "My.App", "--no-build");
        text.ShouldStartWith("Llama3_8B on 4 x NVIDIA H200 141 GB SXM: decode batch 16 context 2000");
        var (before, now) = await SimulatedAsync("h200-sxm", "4", "16", "2000");
        text.ShouldContain($"without prefetch {before / 1e3,9:0.000} ms");
        text.ShouldContain($"this plan        {now / 1e3,9:0.000} ms   {before / now:0.000} times as fast");
        // Reasons are sentences with figures; of some tensor there always is one.
        text.ShouldMatch(@"\n  gate_up_weight +\d+\.\d MB of +\d+\.\d MB   .*\d");
        (await SimulatedAsync("h100-sxm", "2", "4", "1024")).Now.ShouldNotBe(now);

        async Task<string> SucceedAsync(params string[] arguments) =>
            (await Tool.RunAsync(folder, Tool.Dotnet, arguments, PackageFixture.ApartIn(folder))).TextOfSuccess().ReplaceLineEndings("\n");
    }

    /// <summary>A project has the name of its folder, which need be none of a namespace, and may be that of a package or an assembly that it references.</summary>
    [Fact]
    public async Task A_new_app_may_be_called_whatever_a_folder_is()
    {
        var folder = fixture.CreateFolder();
        string[] names = ["preserve", "class", "1abc", "my app.x-y", "System", "Preserve.Core"];
        await SucceedAsync("new", "install", fixture.Templates);
        foreach (var name in names)
            await SucceedAsync("new", "preserve", "-o", name);
        await File.WriteAllTextAsync(Path.Combine(folder, "all.proj"), """
            <Project>
              <ItemGroup><App Include="*/*.csproj" /></ItemGroup>
              <Target Name="Build"><MSBuild Projects="@(App)" BuildInParallel="true" /></Target>
              <Target Name="Restore"><MSBuild Projects="@(App)" Targets="Restore" BuildInParallel="true" /></Target>
            </Project>
            """);
        var built = await SucceedAsync("build", "all.proj");
        foreach (var name in names)
            built.ShouldMatch($@"[/\\]{Regex.Escape(name)}[/\\]Deployment\.cs\(19,\d+\): warning PRSV201: decode batch 4 context 1024");
        // What `dotnet run` starts, without the projects being evaluated once more.
        var texts = await Task.WhenAll(names.Select(name => SucceedAsync(Directory.GetFiles(Path.Combine(folder, name, "bin"), "*.runtimeconfig.json", SearchOption.AllDirectories).Single().Replace(".runtimeconfig.json", ".dll", StringComparison.Ordinal))));
        texts.ShouldAllBe(text => text.StartsWith("Llama3_8B on 2 x "));

        async Task<string> SucceedAsync(params string[] arguments) => (await Tool.RunAsync(folder, Tool.Dotnet, arguments, PackageFixture.ApartIn(folder))).TextOfSuccess();
    }

    [Fact]
    public async Task It_asks_for_the_version_of_Preserve_that_it_was_packed_with()
    {
        using var package = ZipFile.OpenRead(fixture.Templates);
        using var project = new StreamReader(package.GetEntry("content/PreserveApp.csproj.in")!.Open());
        (await project.ReadToEndAsync()).ShouldContain($"""<PackageReference Include="Preserve" Version="{fixture.Version}" />""");
        package.Entries.ShouldNotContain(e => e.FullName.EndsWith(".dll", StringComparison.Ordinal));
        using var specification = new StreamReader(package.GetEntry("Preserve.Templates.nuspec")!.Open());
        (await specification.ReadToEndAsync()).ShouldContain("""<packageType name="Template" />""");
    }

    private static async Task<(double Before, double Now)> SimulatedAsync(string device, string ranks, string batch, string context)
    {
        var run = await Tool.ProgramAsync(BuiltTool.Path, "simulate", "--model", "llama-3-8b", "--device", device, "--tensor-parallel", ranks, "--batch", batch, "--context", context, "--json");
        var simulated = JsonDocument.Parse(run.TextOfSuccess()).RootElement;
        return (simulated.GetProperty("baseMicroseconds").GetDouble(), simulated.GetProperty("stepMicroseconds").GetDouble());
    }
}
