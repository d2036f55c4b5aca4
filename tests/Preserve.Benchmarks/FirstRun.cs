using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Preserve.Benchmarks;

/// <summary>The generator's first run in a fresh process of the SDK's compiler, as the compiler itself reports it: JIT, parsing, optimizer
/// and emission; of the two builds of it that the package has.</summary>
/// <remarks>The compiler charges to the first generator that asks for an attribute what it would else do later: it resolves references and
/// binds the attributes. So a generator that asks for the same attribute and does nothing is measured beside.</remarks>
internal static partial class FirstRun
{
    private const int Processes = 9;

    private static readonly (string Name, Func<string[]> Assemblies)[] _generators =
    [
        ("a generator that does nothing", () => [typeof(IdleGenerator).Assembly.Location]),
        ("compiled ahead of time for linux-x64", () => In("linux-x64")),
        ("for any platform", () => In(".")),
    ];

    public static void Measure()
    {
        var folder = Directory.CreateTempSubdirectory("preserve-first-run-");
        try
        {
            foreach (var deployments in new[] { 1, 20 })
            {
                var sources = Enumerable.Range(0, deployments).Select(i => Write(folder, $"Deployment{i}.cs", Sources.Deployment(i)))
                    .Concat(Enumerable.Range(0, 10).Select(i => Write(folder, $"File{i}.cs", Sources.Other(i, 0)))).ToArray();
                // In turn, so that a busy moment of the machine meets all.
                var runs = Enumerable.Range(0, Processes).Select(_ => _generators.Select(g => Run(g.Assemblies(), sources, folder, deployments)).ToArray()).ToArray();
                for (var g = 0; g < _generators.Length; g++)
                    Report($"first run, {deployments} deployments, {_generators[g].Name}", runs.Select(r => r[g]).ToList());
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string[] In(string folder) =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, folder), "Preserve.*.dll").Where(f => !f.EndsWith("Benchmarks.dll", StringComparison.Ordinal)).ToArray();

    private static double Run(string[] analyzers, string[] sources, DirectoryInfo folder, int expected)
    {
        var generated = Path.Combine(folder.FullName, "generated");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] arguments =
        [
            Sdk.Compiler, "-nologo", "-noconfig", "-nullable+", "-langversion:latest", "-target:library", "-reportanalyzer",
            $"-out:{Path.Combine(folder.FullName, "Project.dll")}", $"-generatedfilesout:{generated}",
            .. Sdk.References.Append(Path.Combine(AppContext.BaseDirectory, "Preserve.Core.dll")).Select(r => $"-r:{r}"),
            .. analyzers.Select(a => $"-analyzer:{a}"),
            .. sources,
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        Directory.CreateDirectory(generated);
        using var compiler = Process.Start(start)!;
        var output = compiler.StandardOutput.ReadToEnd();
        compiler.WaitForExit();
        var plans = Directory.GetFiles(generated, "*.cs", SearchOption.AllDirectories).Length;
        Directory.Delete(generated, recursive: true);
        if (plans != expected || ReportedTime().Match(output) is not { Success: true } time)
            throw new InvalidOperationException($"{plans} files were generated for {expected} deployments: {output}");
        return double.Parse(time.Groups[1].Value, CultureInfo.InvariantCulture) * 1000;
    }

    private static void Report(string what, List<double> times) =>
        Console.WriteLine($"{what}, median of {Processes} processes: {Keystroke.Median(times):0} ms ({times.Min():0} to {times.Max():0})");

    private static string Write(DirectoryInfo folder, string name, string text)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [GeneratedRegex(@"Total generator execution time: ([0-9.]+) seconds")]
    private static partial Regex ReportedTime();

    /// <summary>The SDK that stands beside the runtime of this process.</summary>
    private static class Sdk
    {
        private static readonly string _root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

        public static string Compiler { get; } = Latest(Path.Combine(_root, "sdk"), Path.Combine("Roslyn", "bincore", "csc.dll"));

        public static string[] References { get; } =
            Directory.GetFiles(Latest(Path.Combine(_root, "packs", "Microsoft.NETCore.App.Ref"), Path.Combine("ref", "net10.0")), "*.dll");

        private static string Latest(string versions, string inside) =>
            Directory.GetDirectories(versions, "10.*").Select(v => Path.Combine(v, inside)).Where(Path.Exists).Max(StringComparer.Ordinal)
            ?? throw new InvalidOperationException($"no {inside} below {versions}");
    }
}
