using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class MutationTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_harmful_mutant_is_caught_and_every_harmless_one_accepted()
    {
        var random = new Random(20_250_108);
        var corpus = Corpus(random).ToList();
        var counts = Hold(corpus, Mutants.Kinds, random);
        counts.ShouldAllBe(c => c.Value.Harmful > 0);
        counts.Values.Sum(c => c.Harmless).ShouldBeGreaterThan(100);

        var weights = corpus.SelectMany(p => p.Tensors).Where(t => t.Role == TensorRole.Weight).Select(t => t.Name).ToHashSet();
        Having(i => i.Operation is PrefetchOperation && i.Reads.Any(r => r.Range is not null && weights.Contains(r.Tensor))).ShouldBeGreaterThan(20);
        Having(i => i.Operation is CollectiveOperation { Kind: CollectiveKind.ReduceScatter }).ShouldBeGreaterThan(5);
        Having(i => i.Operation is CollectiveOperation { Norm: not null }).ShouldBeGreaterThan(5);
        Having(i => i.Operation is CollectiveOperation { MatMul: not null }).ShouldBeGreaterThan(5);
        corpus.Count(p => p.Tensors.Any(t => t.BlockUnits > 0)).ShouldBeGreaterThan(20);

        int Having(Func<Instruction, bool> kind) => corpus.Count(p => p.Instructions().Any(kind));
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

    /// <summary>Small plans: a few layers, two ranks, contexts up to 6, with room for some of the prefetches, by all policies and with every option of what is
    /// one kernel, of who does what, and of where the cache lies.</summary>
    private static IEnumerable<ExecutionPlan> Corpus(Random random)
    {
        for (var i = 0; i < 120; i++)
        {
            var layer = Specs.Layer("L", 2, 2, 8, 32, window: random.Next(3) == 0 ? 3 : 0, postNorm: random.Next(4) == 0, parallel: random.Next(4) == 0,
                position: random.Next(4) == 0 ? Position.None : Position.Rotary, bias: random.Next(4) == 0 ? ProjectionBias.All : ProjectionBias.None, queryKeyNorm: random.Next(4) == 0);
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
            var fusion = ranks > 1 && random.Next(3) == 0 ? (CollectiveFusion)random.Next(1, 3) : CollectiveFusion.None;
            var shares = ranks > 1 && fusion != CollectiveFusion.Norm && step.Batch * step.NewTokens % ranks == 0 && random.Next(3) == 0;
            var policy = random.Next(2) == 0 ? PrefetchPolicy.Best : PrefetchPolicy.Paper;
            var deployment = Specs.Deploy(Specs.Model("Tiny", 16, 40, stack), ranks, step, prefetch: policy, separate: random.Next(3) == 0, sequenceParallel: shares, fusion: fusion) with
            {
                KeyValueBlockTokens = random.Next(4) == 0 ? 2 : 0,
            };
            var room = random.Next(3) == 0 ? 900 : 100_000;
            yield return Specs.Plan(deployment, Specs.RuleOf(deployment, random, room), room);
        }
    }
}
