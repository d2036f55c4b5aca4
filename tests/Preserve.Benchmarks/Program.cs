using System.Globalization;
using BenchmarkDotNet.Running;
using Preserve.Benchmarks;
using Preserve.Optimizer;

// Whole measurements print what the README reports; anything else goes to BenchmarkDotNet.
switch (args.FirstOrDefault())
{
    case "keystroke":
        Keystroke.Measure();
        break;
    case "build-share":
        BuildShare.Measure();
        break;
    case "first-run":
        FirstRun.Measure();
        break;
    case "rates":
        Rates.Measure(args.ElementAtOrDefault(1));
        break;
    case "generation":
        Generation.Measure();
        break;
    case "corpus":
        Corpus.Measure(Number(1) ?? 1_000_000, Number(2) ?? 0, Number(3) ?? PrefetchSearch.MostTrials);
        break;
    case "cpu-matmul" when args is [_, "rows"]:
        CpuMatMulRows.Measure();
        break;
    case "cpu-matmul":
        Environment.ExitCode = CpuMatMul.Measure() ? 0 : 1;
        break;
    case "annealed":
        Annealed.Measure();
        break;
    case "optimum":
        Optimum.Measure(Number(1) ?? 600);
        break;
    case "split-lengths":
        SplitLengths.Measure(Number(1) ?? 300);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(PlanBenchmarks).Assembly).Run(args);
        break;
}

int? Number(int argument) => args.Length > argument ? int.Parse(args[argument], CultureInfo.InvariantCulture) : null;
