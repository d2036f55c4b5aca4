using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Preserve.Benchmarks;

/// <summary>What an edit in a file without deployments costs, in a project of 300 files with 20 deployments.</summary>
internal static class Keystroke
{
    private const int Deployments = 20;
    private const int Files = 300;
    private const int WarmUps = 200;
    private const int Edits = 200;

    public static void Measure()
    {
        Measure("keystroke", Sources.Driver(track: true));
        Measure("a generator that does nothing", CSharpGeneratorDriver.Create(new IdleGenerator()));
    }

    private static void Measure(string what, GeneratorDriver driver)
    {
        var compilation = Sources.Compilation(Deployments, Files);
        driver = driver.RunGenerators(compilation);
        var times = new List<double>();
        var bytes = new List<double>();
        for (var edit = 1; edit <= WarmUps + Edits; edit++)
        {
            var old = compilation.SyntaxTrees[^1];
            compilation = compilation.ReplaceSyntaxTree(old, Sources.Parse(Sources.Other(Files - 1, edit), old.FilePath));
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var clock = Stopwatch.StartNew();
            driver = driver.RunGenerators(compilation);
            clock.Stop();
            if (edit <= WarmUps)
                continue;
            times.Add(clock.Elapsed.TotalMilliseconds);
            bytes.Add(GC.GetAllocatedBytesForCurrentThread() - allocated);
        }
        var steps = driver.GetRunResult().Results[0].TrackedSteps;
        Console.WriteLine($"{what}, {Deployments} deployments in {Files} files, median of {Edits} edits after {WarmUps}: {Median(times):0.00} ms, {Median(bytes) / 1e6:0.00} MB");
        foreach (var (name, runs) in steps.OrderBy(s => s.Key, StringComparer.Ordinal))
            Console.WriteLine($"  {name}: {string.Join(", ", runs.SelectMany(r => r.Outputs).GroupBy(o => o.Reason).Select(g => $"{g.Count()} {g.Key}"))}");
    }

    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
