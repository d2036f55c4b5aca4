using FsCheck;
using FsCheck.Fluent;
using Preserve.Optimizer;
using Preserve.Optimizer.Tests;

namespace Preserve.Benchmarks;

/// <summary>The policy Best against every choice of cuts in eighths under collectives, over two layers: instances of five tensors and three
/// windows at least.</summary>
internal static class Optimum
{
    public static void Measure(int instances)
    {
        var results = new List<(double OverLeast, double GreedyLoss, double LeastOverBound, int Tensors, int Windows)>();
        Parallel.For(0, Environment.ProcessorCount, thread =>
        {
            Prop.ForAll(Arb.From(PrefetchInstances.Generator.Where(c => Choices(c) is { Tensors: >= 5, Windows: >= 3 })), c =>
            {
                var step = c.Deployment.Steps[0];
                var choices = Choices(c);
                var least = choices.Least();
                var times = new PlanTimes(c.Laws, default);
                var chosen = times.Of(new BestPrefetch(c.Deployment, step, c.Laws, default).Choose().Plan, step.MaxContext);
                var published = Specs.Plan(c.Deployment, c.Laws.Device.PrefetchRoomBytes);
                var greedy = times.Of(published, step.MaxContext);
                var bound = LowerBound.Of(published, step.MaxContext, c.Laws).Picoseconds;
                lock (results)
                    results.Add(((double)chosen / least, ((double)greedy / least) - 1, (double)least / bound, choices.Tensors, choices.Windows));
                return true;
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(instances / Environment.ProcessorCount).WithReplay(RandomDeployments.Seed + (ulong)thread, 7_654_321));
        });
        Console.WriteLine($"{results.Count} instances of {results.Min(r => r.Tensors)} to {results.Max(r => r.Tensors)} tensors and {results.Min(r => r.Windows)} to {results.Max(r => r.Windows)} windows; " +
            $"{results.Count(r => r.GreedyLoss > 0.05)} with a greedy loss above 5 %");
        Print("Best over the least of all choices", results.Select(r => r.OverLeast));
        Console.WriteLine($"Best more than 1 % slower: {results.Count(r => r.OverLeast > 1.01)}; with the greedy loss above 5 %: {results.Count(r => r.OverLeast > 1.01 && r.GreedyLoss > 0.05)}");
        Print("the least of all choices over the bound", results.Select(r => r.LeastOverBound));
        Console.WriteLine($"the bound above it: {results.Count(r => r.LeastOverBound < 1)}");
    }

    private static ExhaustivePrefetch Choices((DeploymentSpec Deployment, ICostLaws Laws) instance) =>
        ExhaustivePrefetch.Of(instance.Deployment, instance.Laws, shares: 8);

    private static void Print(string what, IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        Console.WriteLine($"{what}: least {sorted[0]:0.0000}, 10 % {At(0.1):0.0000}, median {At(0.5):0.0000}, 90 % {At(0.9):0.0000}, most {sorted[^1]:0.0000}");

        double At(double share) => sorted[(int)(share * (sorted.Count - 1))];
    }
}
