using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Preserve.Generators;

namespace Preserve.Benchmarks;

/// <summary>What an edit of a method body in a file without deployments costs, in a project of 300 files with 20 deployments: the generator's run, and then
/// the analyzers' over the edited file, as an editor asks for them, and over the whole project.</summary>
internal static class Keystroke
{
    private const int Deployments = 20;
    private const int Files = 300;
    private const int WarmUps = 200;
    private const int Edits = 200;

    private static readonly ImmutableArray<DiagnosticAnalyzer> _ours =
    [
        .. typeof(DeploymentGenerator).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !t.IsAbstract)
            .Select(t => (DiagnosticAnalyzer)Activator.CreateInstance(t)!),
    ];

    public static void Measure()
    {
        Measure("keystroke", Sources.Driver(track: true));
        Measure("  a generator that does nothing", CSharpGeneratorDriver.Create(new IdleGenerator()));
        foreach (var whole in new[] { false, true })
        {
            var where = whole ? "the whole project" : "the edited file";
            Analyze($"and its {_ours.Length} analyzers over {where}", _ours, whole);
            Analyze($"  an analyzer that does nothing over {where}", [new IdleAnalyzer()], whole);
        }
    }

    private static void Measure(string what, GeneratorDriver driver)
    {
        var compilation = Sources.Compilation(Deployments, Files);
        driver = driver.RunGenerators(compilation);
        var times = new List<double>();
        var bytes = new List<double>();
        for (var edit = 1; edit <= WarmUps + Edits; edit++)
        {
            compilation = Edited(compilation, edit);
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
        Console.WriteLine($"{what}, {Deployments} deployments in {Files} files, median of {Edits} edits after {WarmUps}: {Text(times)}, {Median(bytes) / 1e6:0.00} MB");
        foreach (var (name, runs) in steps.OrderBy(s => s.Key, StringComparer.Ordinal))
            Console.WriteLine($"  {name}: {string.Join(", ", runs.SelectMany(r => r.Outputs).GroupBy(o => o.Reason).Select(g => $"{g.Count()} {g.Key}"))}");
    }

    private static void Analyze(string what, ImmutableArray<DiagnosticAnalyzer> analyzers, bool whole)
    {
        // Over the whole project an edit costs so much that fewer say as much.
        var (warmUps, edits) = whole ? (WarmUps / 10, Edits / 10) : (WarmUps, Edits);
        var compilation = Sources.Compilation(Deployments, Files);
        var driver = Sources.Driver();
        var times = new List<double>();
        for (var edit = 1; edit <= warmUps + edits; edit++)
        {
            compilation = Edited(compilation, edit);
            driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out var output, out _);
            var tree = compilation.SyntaxTrees[^1];
            // What the compiler does for the editor in any case is no analyzer's.
            _ = output.GetSemanticModel(tree).GetDiagnostics();
            var clock = Stopwatch.StartNew();
            var analysis = output.WithAnalyzers(analyzers, new CompilationWithAnalyzersOptions(new AnalyzerOptions([]), null, concurrentAnalysis: true, logAnalyzerExecutionTime: false));
            var found = whole
                ? analysis.GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult()
                : analysis.GetAnalyzerSemanticDiagnosticsAsync(output.GetSemanticModel(tree), null, default).GetAwaiter().GetResult();
            clock.Stop();
            if (found.Any(d => d.Severity == DiagnosticSeverity.Error))
                throw new InvalidOperationException(found[0].ToString());
            if (edit > warmUps)
                times.Add(clock.Elapsed.TotalMilliseconds);
        }
        Console.WriteLine($"{what}, median of {edits} edits after {warmUps}: {Text(times)}");
    }

    /// <summary>The median, and what a tenth of the edits kept within: on a busy machine it is the steadier one.</summary>
    private static string Text(List<double> times) => $"{Median(times):0.00} ms (a tenth within {times[times.Count / 10]:0.00})";

    /// <summary>Another method body in the last file.</summary>
    private static CSharpCompilation Edited(CSharpCompilation compilation, int edit)
    {
        var old = compilation.SyntaxTrees[^1];
        return compilation.ReplaceSyntaxTree(old, Sources.Parse(Sources.Other(Files - 1, edit), old.FilePath));
    }

    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
