using Preserve.Optimizer;
using Preserve.Optimizer.Tests;

namespace Preserve.Benchmarks;

/// <summary>The policy Best against annealing, on deployments that are too large for every choice to be tried.</summary>
/// <remarks>S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, Optimization by Simulated Annealing, Science 220, 1983: over the same parts and the same room, by
/// <see cref="Runs"/> times <see cref="Steps"/> trials. The least that either finds need not be the optimum: Best misses so much at least.</remarks>
internal static class Annealed
{
    private const int Runs = 6, Steps = 1500;

    /// <summary>The first temperature as a share of the base step, and the last as a share of the first.</summary>
    private const double Hottest = 0.004, Coldest = 0.001;

    public static void Measure()
    {
        Measure("Ascend 910B2, 2 to 8 ranks", from model in new[] { Specs.Llama3_8B, Specs.Llama3_70B, Specs.Phi3Medium }
                                              from ranks in new[] { 2, 4, 8 }
                                              where model.Name != Specs.Phi3Medium.Name || ranks == 2
                                              from batch in new[] { 1, 4, 16, 64 }
                                              from context in new[] { 2047, 8191, 16_383 }
                                              select Specs.Deploy(model, ranks, Specs.Decode(batch, context), Precision.Int8, PrefetchPolicy.Best));
        Measure("H100, H200, A100 and L40S, 2 to 8 ranks", from model in new[] { Specs.Llama3_8B, Specs.Llama3_70B }
                                                           from device in new[] { Devices.H100, Devices.H200, Devices.A100Sxm80, Devices.L40S }
                                                           from ranks in new[] { 2, 4, 8 }
                                                           from batch in new[] { 1, 16, 64 }
                                                           select Specs.Deploy(model, ranks, Specs.Decode(batch, 4096), Precision.Bf16, PrefetchPolicy.Best, device));
        Measure("every device whose L2 is known, one rank", from model in new[] { Specs.Llama3_8B, Specs.Opt13B, Specs.TwoKinds }
                                                            from device in DeviceCatalogue.Ids
                                                            where Get(device).L2Known
                                                            from batch in new[] { 1, 8, 64 }
                                                            select Specs.Deploy(model, 1, Specs.Decode(batch, 1500), Precision.Bf16, PrefetchPolicy.Best, device));
    }

    private static void Measure(string what, IEnumerable<DeploymentSpec> deployments)
    {
        var all = deployments.ToArray();
        var missed = new double?[all.Length];
        Parallel.For(0, all.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var laws = CostLaws.For(Get(all[i].Device));
            if (new BestPrefetch(all[i], all[i].Steps[0], laws, default).Choose().Choice is { } choice)
                missed[i] = Missed(choice, choice.Space.TrialsWith(laws), new Random(i));
        });
        var sorted = missed.OfType<double>().Order().ToList();
        Console.WriteLine(FormattableString.Invariant(
            $"{what}: {sorted.Count} steps; Best is slower than the least found by {sorted.Average():0.00} % on average, {sorted[sorted.Count / 2]:0.00} in the median, {sorted[sorted.Count * 9 / 10]:0.00} in nine of ten, {sorted[^1]:0.0} at most; by more than 1 % in {sorted.Count(m => m > 1)}"));
    }

    /// <summary>By how many percent the step is slower with a choice than with the best of it and of what annealing finds.</summary>
    private static double Missed(PrefetchChoice choice, PrefetchTrials trials, Random random)
    {
        var moved = Enumerable.Range(0, choice.Problem.Parts.Count).Where(choice.Search.IsMoved).ToArray();
        var chosen = trials.Time(choice.Units, default);
        var least = chosen;
        for (var run = 0; run < Runs && moved.Length > 0; run++)
        {
            // A third of the runs goes on from the choice, the others begin anywhere.
            var at = run % 3 == 0 ? (long[])choice.Units.Clone() : Anywhere(choice, moved, random);
            var time = trials.Time(at, default);
            for (var step = 0; step < Steps; step++)
            {
                var next = Neighbour(choice, at, moved, random);
                var nextTime = trials.Time(next, default);
                var temperature = Hottest * choice.Search.BasePicoseconds * Math.Pow(Coldest, (double)step / Steps);
                if (nextTime <= time || random.NextDouble() < Math.Exp((time - nextTime) / temperature))
                    (at, time) = (next, nextTime);
                least = Math.Min(least, time);
            }
        }
        return 100.0 * (chosen - least) / least;
    }

    private static long[] Anywhere(PrefetchChoice choice, int[] moved, Random random)
    {
        var units = new long[choice.Units.Length];
        foreach (var part in moved.OrderBy(_ => random.Next()))
            units[part] = choice.Problem.Parts[part].Align((long)(choice.Search.Room.Most(part, units) * random.NextDouble()));
        return units;
    }

    /// <summary>One to three parts are left out, made as long as can be, or moved by some bytes; half of the time others give way to them.</summary>
    private static long[] Neighbour(PrefetchChoice choice, long[] from, int[] moved, Random random)
    {
        var units = (long[])from.Clone();
        for (var moves = 1 + random.Next(3); moves > 0; moves--)
        {
            var part = moved[random.Next(moved.Length)];
            var whole = choice.Problem.Parts[part];
            var wanted = random.Next(4) switch
            {
                0 => 0,
                1 => whole.Units,
                _ => Math.Clamp(units[part] + ((long)(whole.Units * Math.Exp(-4 * random.NextDouble())) * (1 - (2 * random.Next(2)))), 0, whole.Units),
            };
            units[part] = 0;
            if (random.Next(2) == 0)
            {
                foreach (var other in moved.OrderBy(_ => random.Next()))
                {
                    if (choice.Search.Room.Most(part, units) >= wanted)
                        break;
                    units[other] = other == part ? 0 : choice.Problem.Parts[other].Align((long)(units[other] * random.NextDouble()));
                }
            }
            units[part] = whole.Align(Math.Min(wanted, choice.Search.Room.Most(part, units)));
        }
        return units;
    }

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}
