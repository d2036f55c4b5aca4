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
    default:
        BenchmarkSwitcher.FromAssembly(typeof(PlanBenchmarks).Assembly).Run(args);
        break;
}
