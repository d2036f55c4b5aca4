using System.Globalization;
using BenchmarkDotNet.Running;
using Preserve.Benchmarks;

// Whole measurements print what the README reports; anything else goes to BenchmarkDotNet.
switch (args.FirstOrDefault())
{
    case "keystroke":
        Keystroke.Measure();
        break;
    case "first-run":
        FirstRun.Measure();
        break;
    case "rates":
        Rates.Measure();
        break;
    case "generation":
        Generation.Measure();
        break;
    case "corpus":
        Corpus.Measure(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000);
        break;
    case "optimum":
        Optimum.Measure(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(PlanBenchmarks).Assembly).Run(args);
        break;
}
