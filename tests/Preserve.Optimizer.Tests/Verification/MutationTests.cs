using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class MutationTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_harmful_mutant_is_caught_and_every_harmless_one_accepted()
    {
        var random = new Random(20_250_108);
        var counts = Hold(Corpus(random), Mutants.Kinds, random);
        counts.ShouldAllBe(c => c.Value.Harmful > 0);
        counts.Values.Sum(c => c.Harmless).ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Every_harmful_mutant_of_a_plan_with_its_cache_or_its_weights_on_the_host_is_caught_and_every_harmless_one_accepted()
    {
        var random = new Random(20_241_117);
        var counts = Hold(HostPlans.Corpus(random), [.. Mutants.Kinds, .. HostMutants.Kinds], random);
        counts.ShouldAllBe(c => c.Value.Harmful > 0);
        counts.Values.Sum(c => c.Harmless).ShouldBeGreaterThan(100);
    }

    /// <summary>Holds the verifier to what goes wrong in some order, and writes how many mutants of each kind there were.</summary>
    private Dictionary<string, (int Harmful, int Harmless)> Hold(IEnumerable<ExecutionPlan> corpus, (string Kind, Func<ExecutionPlan, Random, ExecutionPlan?> Make)[] kinds, Random random)
    {
        var counts = kinds.ToDictionary(k => k.Kind, _ => (Harmful: 0, Harmless: 0));
        var plans = 0;
        foreach (var plan in corpus)
        {
            plans++;
            InterleavingChecker.FindHarm(plan).ShouldBeNull();
            PlanVerifier.Verify(plan).ShouldBeEmpty();
            foreach (var (kind, make) in kinds)
            {
                if (make(plan, random) is not { } mutant || mutant == plan)
                    continue;
                var harm = InterleavingChecker.FindHarm(mutant);
                var faults = PlanVerifier.Verify(mutant);
                // The text of a plan is long: only where it is needed.
                if (faults.Count > 0 != harm is not null)
                    Assert.Fail($"{kind}: harm '{harm}', faults '{string.Join("; ", faults)}'\n{PlanText.Write(mutant)}");
                counts[kind] = harm is null ? (counts[kind].Harmful, counts[kind].Harmless + 1) : (counts[kind].Harmful + 1, counts[kind].Harmless);
            }
        }
        foreach (var (kind, (harmful, harmless)) in counts)
            output.WriteLine($"{kind,-40} {harmful,5} harmful and caught, {harmless,5} harmless and accepted");
        output.WriteLine($"{counts.Values.Sum(c => c.Harmful)} harmful, {counts.Values.Sum(c => c.Harmless)} harmless, of {plans} plans");
        return counts;
    }

    /// <summary>Small plans: a few layers, two ranks, contexts up to 6, with room for some of the prefetches.</summary>
    private static IEnumerable<ExecutionPlan> Corpus(Random random)
    {
        for (var i = 0; i < 120; i++)
        {
            var layer = Specs.Layer("L", 2, 2, 8, 32, window: random.Next(3) == 0 ? 3 : 0, postNorm: random.Next(4) == 0, parallel: random.Next(4) == 0,
                position: random.Next(4) == 0 ? Position.None : Position.Rotary, bias: random.Next(4) == 0 ? ProjectionBias.All : ProjectionBias.None);
            var other = Specs.Layer("M", 2, 1, 8, 48, activation: Activation.Relu);
            var stack = random.Next(3) switch
            {
                0 => [Specs.Group(random.Next(1, 4), layer)],
                1 => [Specs.Group(2, layer), Specs.Group(1, other)],
                _ => new[] { Specs.Group(random.Next(1, 3), layer, other) },
            };
            var step = random.Next(6) switch
            {
                0 => new PrefillSpec(random.Next(1, 3), random.Next(1, 5)),
                1 => new DecodeSpec(2, random.Next(2, 7), Total: true),
                _ => Specs.Decode(random.Next(1, 3), random.Next(1, 7)),
            };
            var ranks = random.Next(4) == 0 ? 1 : 2;
            var deployment = Specs.Deploy(Specs.Model("Tiny", 16, 40, stack), ranks, step, separate: random.Next(3) == 0);
            yield return Specs.Plan(deployment, room: random.Next(3) == 0 ? 900 : 100_000);
        }
    }
}
