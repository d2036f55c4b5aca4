using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Preserve.Benchmarks;

/// <summary>What the generator and the analyzers take of a build of a project of 300 files with 20 deployments, as the compiler itself reports it
/// (<c>-p:ReportAnalyzer=true</c>), beside the analyzers that the SDK brings.</summary>
/// <remarks>The compiler runs analyzers side by side and adds their times up, and charges to each what it makes the compiler do earlier. So the same build without
/// them is measured beside.</remarks>
internal static partial class BuildShare
{
    private const int Deployments = 20;
    private const int Files = 300;
    private const int Builds = 5;

    public static void Measure()
    {
        var folder = Directory.CreateTempSubdirectory("preserve-build-share-");
        try
        {
            for (var i = 0; i < Deployments; i++)
                File.WriteAllText(Path.Combine(folder.FullName, $"Deployment{i}.cs"), Sources.Deployment(i));
            for (var i = Deployments; i < Files; i++)
                File.WriteAllText(Path.Combine(folder.FullName, $"File{i}.cs"), Sources.Other(i, 0));
            File.WriteAllText(Path.Combine(folder.FullName, "Directory.Build.props"), "<Project />");
            File.WriteAllText(Path.Combine(folder.FullName, "Project.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <TargetFramework>net10.0</TargetFramework>
                    <Nullable>enable</Nullable>
                  </PropertyGroup>
                  <ItemGroup>
                    <Reference Include="{Path.Combine(AppContext.BaseDirectory, "Preserve.Core.dll")}" />
                    <Analyzer Include="{AppContext.BaseDirectory}Preserve.*.dll" Exclude="{AppContext.BaseDirectory}Preserve.Benchmarks.dll" Condition="'$(WithPreserve)' != 'false'" />
                  </ItemGroup>
                </Project>
                """);
            Build(folder, "-p:WithPreserve=false");
            // In turn, so that a busy moment of the machine meets both.
            var runs = Enumerable.Range(0, Builds).Select(_ => (Without: Build(folder, "-p:WithPreserve=false"), With: Build(folder))).ToArray();
            Console.WriteLine($"build of {Deployments} deployments in {Files} files, medians of {Builds}");
            Print("the compiler, without Preserve", runs.Select(r => r.Without.Compiler));
            Print("the compiler, with it", runs.Select(r => r.With.Compiler));
            Print("  generator", runs.Select(r => r.With.Generator));
            Print("  analyzers of Preserve", runs.Select(r => r.With.Analyzers));
            Print("  all analyzers", runs.Select(r => r.With.AllAnalyzers));
            Console.WriteLine($"  analyzers of Preserve: {Keystroke.Median([.. runs.Select(r => 100 * r.With.Analyzers / r.With.AllAnalyzers)]):0} % of all analyzers' time, {Keystroke.Median([.. runs.Select(r => 100 * r.With.Analyzers / r.With.Compiler)]):0} % of the compiler's");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Milliseconds of one build, from a compiler that no build before left behind.</summary>
    private static Times Build(DirectoryInfo folder, params string[] options)
    {
        var start = new ProcessStartInfo("dotnet", ["build", "--no-incremental", "--disable-build-servers", "-nologo", "-v:d", "-clp:PerformanceSummary", "-p:ReportAnalyzer=true", .. options])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = folder.FullName,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var build = Process.Start(start)!;
        var output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        if (build.ExitCode != 0 || Compiler().Match(output) is not { Success: true } compiler || AllAnalyzers().Match(output) is not { Success: true } all)
            throw new InvalidOperationException($"the build ended with {build.ExitCode}: {output}");
        // Each line of a table is an assembly, or a type in it; below a thousandth of a second the compiler says '<0.001'.
        var generator = output.IndexOf("Total generator execution time", StringComparison.Ordinal);
        var rows = Assemblies().Matches(output).Where(r => r.Groups[2].Value.StartsWith("Preserve.", StringComparison.Ordinal)).ToLookup(r => generator >= 0 && r.Index > generator, Seconds);
        return new Times(double.Parse(compiler.Groups[1].Value, CultureInfo.InvariantCulture), 1000 * rows[true].Sum(), 1000 * rows[false].Sum(), 1000 * Seconds(all));
    }

    private static double Seconds(Match match) => double.Parse(match.Groups[1].Value.TrimStart('<'), CultureInfo.InvariantCulture);

    private static void Print(string what, IEnumerable<double> times)
    {
        var all = times.ToList();
        Console.WriteLine($"{what}: {Keystroke.Median(all):0} ms ({all.Min():0} to {all.Max():0})");
    }

    private sealed record Times(double Compiler, double Generator, double Analyzers, double AllAnalyzers);

    [GeneratedRegex(@"^\s*(\d+) ms\s+Csc\s+1 calls", RegexOptions.Multiline)]
    private static partial Regex Compiler();

    [GeneratedRegex(@"Total analyzer execution time: ([0-9.]+) seconds")]
    private static partial Regex AllAnalyzers();

    [GeneratedRegex(@"^\s*(<?[0-9.]+)\s+<?\d+\s+([\w.]+), Version=", RegexOptions.Multiline)]
    private static partial Regex Assemblies();
}
