using System.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Benchmarks;

/// <summary>Steps a second on all processors, each at a context of its own, nothing reused between them but a ready plan.</summary>
/// <remarks>The rate of a process that has run for long: first comes a warm-up, until all code that counts is compiled as well as it will be and the
/// rate no longer rises.</remarks>
internal static class Rates
{
    /// <summary>Inputs that warm up, over and over, and are not measured.</summary>
    private const int WarmUp = PlanBenchmarks.DistinctInputs / 8;

    /// <summary>The warm-up ends where two windows in turn differ by no more.</summary>
    private const double Steady = 0.03;

    private static readonly TimeSpan _time = TimeSpan.FromSeconds(5), _window = TimeSpan.FromSeconds(3), _longestWarmUp = TimeSpan.FromSeconds(45);

    /// <param name="only">Words of the name of what to measure; null for all of it.</param>
    public static void Measure(string? only)
    {
        Print("simulate a decode step from a ready plan", () =>
        {
            // Contexts are counted over all sequences, so that there are as many as steps.
            const int Sequences = PlanBenchmarks.MostBatch, Most = Sequences * PlanBenchmarks.MostContext;
            var deployment = PlanBenchmarks.Deployment(PlanBenchmarks.MostContext) with { Steps = new StepSpec[] { new DecodeSpec(Sequences, Most, Total: true) } };
            var plan = Planner.Plan(deployment, PlanBenchmarks.Device).Steps[0].Plan;
            var executor = new Executor(new SimulatedBackend(PlanBenchmarks.Device));
            return i => _ = executor.RunAsync(plan, Sequences + i).AsTask().Result;
        });
        Print("plan by the published rule from a specification, and simulate", () =>
        {
            var executor = new Executor(new SimulatedBackend(PlanBenchmarks.Device));
            return i =>
            {
                var deployment = PlanBenchmarks.Distinct(i);
                var graph = StepPlanner.Plan(deployment, deployment.Steps[0], StepPlanner.RuleOf(deployment.Prefetch, PlanBenchmarks.Device.PrefetchRoomBytes));
                var plan = PlanEmission.Emit(graph, deployment, PlanBenchmarks.Device.PrefetchRoomBytes);
                _ = executor.RunAsync(plan, plan.Step.MaxContext).AsTask().Result;
            };
        });
        Print("plan by the policy Best from a specification, guard included", () =>
        {
            var laws = CostLaws.For(PlanBenchmarks.Device);
            return i =>
            {
                var deployment = PlanBenchmarks.Distinct(i) with { Prefetch = PrefetchPolicy.Best };
                _ = new BestPrefetch(deployment, deployment.Steps[0], laws, default).Plan();
            };
        });
        Print("plan with a proof and a report", () => i => Planner.Plan(PlanBenchmarks.Distinct(i), PlanBenchmarks.Device));

        void Print(string what, Func<Action<int>> prepare)
        {
            if (only is null || what.Contains(only, StringComparison.Ordinal))
                Console.WriteLine($"{what}: {Rate(prepare):0} a second on {Environment.ProcessorCount} processors");
        }
    }

    /// <summary>Runs the first inputs until the rate is steady, and then the rest of them once each until time is up.</summary>
    private static double Rate(Func<Action<int>> prepare)
    {
        var runs = new Action<int>[Environment.ProcessorCount];
        Parallel.For(0, runs.Length, t => runs[t] = prepare());
        var before = 0.0;
        for (var warmUp = Stopwatch.StartNew(); warmUp.Elapsed < _longestWarmUp;)
        {
            var rate = Rate(runs, _window, i => i % WarmUp);
            if (Math.Abs(rate - before) <= Steady * before)
                break;
            before = rate;
        }
        return Rate(runs, _time, i => WarmUp + i < PlanBenchmarks.DistinctInputs ? WarmUp + i : null);
    }

    /// <summary>Runs a second: each processor takes the next input until time is up, or there is none.</summary>
    private static double Rate(Action<int>[] runs, TimeSpan time, Func<int, int?> input)
    {
        var count = 0;
        var clock = Stopwatch.StartNew();
        Parallel.For(0, runs.Length, new ParallelOptions { MaxDegreeOfParallelism = runs.Length }, t =>
        {
            var own = 0;
            for (; clock.Elapsed < time && input(t + (own * runs.Length)) is { } next; own++)
                runs[t](next);
            Interlocked.Add(ref count, own);
        });
        return count / clock.Elapsed.TotalSeconds;
    }
}
