using FsCheck;
using FsCheck.Fluent;
using Preserve.Optimizer.Tests;

namespace Preserve.Benchmarks;

/// <summary>Plans of random long generations with their KV-cache on the host, against transferring everything at every length, and against the best number
/// of recomputed tokens at some.</summary>
internal static class SplitLengths
{
    public static void Measure(int generations)
    {
        var found = new List<SplitOverLengths>();
        Prop.ForAll(Arb.From(HostCaches.LongGenerations()), c =>
        {
            if (SplitOverLengths.Of(c.Deployment, c.Device) is { } split)
                found.Add(split);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(generations).WithReplay(RandomDeployments.Seed, 7_654_321));
        Console.WriteLine($"{found.Count} of {generations} generations recompute, over {found.Sum(f => f.Lengths):#,0} lengths; slower than transferring everything at {found.Sum(f => f.SlowerLengths)}");
        foreach (var kind in found.GroupBy(f => f.Gathers).OrderBy(g => g.Key))
        {
            var over = kind.Select(f => f.OverBest).Order().ToList();
            Console.WriteLine(
                $"{over.Count} {(kind.Key ? "gather activations" : "do not gather")}: longer than with the best of 65 splits at each of 17 lengths by {over.Average():0.00 %} on average, " +
                $"{over[(int)(0.9 * over.Count)]:0.00 %} at most in nine of ten, {over[^1]:0.00 %} at most; one step {kind.Max(f => f.MostOverBest):0.00 %} at most");
        }
    }
}
