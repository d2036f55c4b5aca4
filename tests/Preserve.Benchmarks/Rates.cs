using System.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Benchmarks;

/// <summary>Steps a second on all processors, each at a context of its own, nothing reused between them but a ready plan.</summary>
internal static class Rates
{
    /// <summary>Inputs that warm up and are not measured.</summary>
    private const int WarmUp = PlanBenchmarks.DistinctInputs / 8;

    private static readonly TimeSpan _time = TimeSpan.FromSeconds(5);

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

    /// <summary>Runs the first inputs to warm up, and the rest of them once each until time is up.</summary>
    private static double Rate(Func<Action<int>> prepare)
    {
        var threads = Environment.ProcessorCount;
        var runs = new Action<int>[threads];
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t =>
        {
            runs[t] = prepare();
            var clock = Stopwatch.StartNew();
            for (var i = t; i < WarmUp && clock.Elapsed < _time / 2; i += threads)
                runs[t](i);
        });
        var count = 0;
        var measured = Stopwatch.StartNew();
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t =>
        {
            var own = 0;
            for (var i = WarmUp + t; i < PlanBenchmarks.DistinctInputs && measured.Elapsed < _time; i += threads, own++)
                runs[t](i);
            Interlocked.Add(ref count, own);
        });
        return count / measured.Elapsed.TotalSeconds;
    }
}
