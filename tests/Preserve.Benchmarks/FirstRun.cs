using System.Diagnostics;
using System.Globalization;

namespace Preserve.Benchmarks;

/// <summary>The generator's first run in a process that has compiled nothing yet with it: JIT, parsing, optimizer and emission.</summary>
internal static class FirstRun
{
    private const int Processes = 9;

    public static void Measure()
    {
        foreach (var deployments in new[] { 1, 20 })
        {
            var times = new List<double>();
            for (var i = 0; i < Processes; i++)
            {
                using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["first-run-child", deployments.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
                times.Add(double.Parse(child.StandardOutput.ReadToEnd(), CultureInfo.InvariantCulture));
                child.WaitForExit();
            }
            Console.WriteLine($"first run, {deployments} deployments, median of {Processes} processes: {Keystroke.Median(times):0} ms ({times.Min():0} to {times.Max():0})");
        }
    }

    /// <summary>The compiler itself is warm, as it is when it comes to generators: sources are parsed and bound.</summary>
    public static void MeasureOnce(int deployments)
    {
        var compilation = Sources.Compilation(deployments, deployments + 10);
        _ = compilation.GetDiagnostics();
        var clock = Stopwatch.StartNew();
        var results = Sources.Driver().RunGenerators(compilation).GetRunResult();
        clock.Stop();
        if (results.GeneratedTrees.Length != deployments)
            throw new InvalidOperationException($"{results.GeneratedTrees.Length} files were generated for {deployments} deployments: {string.Join("; ", results.Diagnostics)}");
        Console.WriteLine(clock.Elapsed.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
    }
}
