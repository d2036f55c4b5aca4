using FsCheck;
using FsCheck.Fluent;
using Preserve.Optimizer;

namespace Preserve.Cpu.Tests;

/// <summary>The promise: a plan never changes a result. Base and optimized plan give the same bits, at one degree of tensor parallelism.</summary>
public class BitEqualityTests
{
    private const int Cases = 2_000;

    /// <summary>How far logits of different degrees may lie apart, as the length of the difference by that of the logits: sums are taken in another
    /// order then, and rounded to bf16 in between.</summary>
    private const double DegreeTolerance = 0.15;

    private readonly ITestOutputHelper _output;

    public BitEqualityTests(ITestOutputHelper output) => _output = output;

    [Fact]
    public void Optimized_and_base_plan_give_the_same_bits()
    {
        var cases = Generators.Case().Sample(Cases, new Rnd(20_250_108), 12);
        var tally = new PairTally();
        Parallel.ForEach(cases.Select((c, i) => (c, i)), new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            pair => Compare(pair.c, pair.i, tally).GetAwaiter().GetResult());
        _output.WriteLine(tally.ToString());
        tally.Pairs.ShouldBe(Cases);
        // Pairs of the same plan prove nothing: the policy Best rightly prefetches nothing where it gains nothing, and most of these models are that small.
        tally.Alike.ShouldBeLessThan(Cases / 20, tally.ToString());
    }

    private static async Task Compare(PlanCase c, int index, PairTally tally)
    {
        var model = c.Deployment.Model;
        var weights = new SeededWeights(model, (ulong)index);
        var tokens = Deployments.Tokens(model, c.Batch * c.Deployment.Offload.BatchesPerLayer, c.Prompt + c.Generated, index);
        var (basePrefill, baseDecode) = c.BasePlans();
        var (prefill, decode) = c.Plans();
        tally.Count(c, basePrefill.Unroll().Body != prefill.Unroll().Body || baseDecode.Unroll().Body != decode.Unroll().Body, decode);
        using var backend = new CpuBackend(model, weights, new CpuOptions { Threads = 1 });
        var expected = await Deployments.LogitsAsync(backend, basePrefill, baseDecode, tokens);
        // Another backend shares nothing with the first: neither what lies in its caches nor in its arena.
        using var other = new CpuBackend(model, weights, new CpuOptions { Threads = 1 });
        var actual = await Deployments.LogitsAsync(other, prefill, decode, tokens);
        for (var step = 0; step < expected.Length; step++)
        {
            if (!expected[step].AsSpan().SequenceEqual(actual[step]))
                throw new InvalidOperationException($"case {index}, step {step}: {c}\n{PlanText.Write(decode)}");
            if (expected[step].Any(float.IsNaN))
                throw new InvalidOperationException($"case {index}, step {step}, gives no numbers: {c}");
        }
    }

    [Fact]
    public async Task Every_split_gives_the_same_bits()
    {
        var model = SmallModels.Model(24, 31, new LayerGroup(new[] { SmallModels.Layer(keyValueHeads: 4, queryKeyNorm: true, bias: ProjectionBias.All) }, 3));
        const int Prompt = 7, Generated = 3;
        foreach (var ranks in new[] { 1, 2 })
        {
            var deployment = Deployments.Of(model, ranks) with { Offload = new OffloadSpec(KeyValues: Home.Host) };
            var step = new DecodeSpec(2, Prompt + Generated - 1, Total: false, Prompt);
            var tokens = Deployments.Tokens(model, 2, Prompt + Generated, 3);
            float[][]? expected = null;
            for (var l = 0; l <= Prompt; l++)
            {
                foreach (var gathered in ranks == 1 ? new[] { false } : [false, true])
                {
                    var split = Deployments.Recompute(deployment, step.MaxContext, l, gathered);
                    var prefill = Deployments.Plan(deployment, new PrefillSpec(2, Prompt), split);
                    var decode = Deployments.Plan(deployment, step, split);
                    decode.RecomputedTokens(step.MaxContext).ShouldBe(l);
                    using var backend = new CpuBackend(model, new SeededWeights(model, 4));
                    var logits = await Deployments.LogitsAsync(backend, prefill, decode, tokens);
                    expected ??= logits;
                    for (var i = 0; i < logits.Length; i++)
                        logits[i].ShouldBe(expected[i], $"{ranks} ranks, {l} tokens, gathered {gathered}, step {i}");
                }
            }
        }
    }

    [Fact]
    public async Task Degrees_agree_within_the_tolerance()
    {
        var worst = 0.0;
        foreach (var (model, index) in SmallModels.Models(4).Sample(60, new Rnd(7), 10).Select((m, i) => (m, i)))
        {
            float[][]? expected = null;
            foreach (var ranks in new[] { 1, 2, 4 })
            {
                var deployment = Deployments.Of(model, ranks);
                using var backend = new CpuBackend(model, new SeededWeights(model, 5));
                var logits = await Deployments.LogitsAsync(
                    backend, Deployments.Plan(deployment, new PrefillSpec(1, 4)), Deployments.Plan(deployment, new DecodeSpec(1, 6, Total: false)), Deployments.Tokens(model, 1, 6, index));
                expected ??= logits;
                for (var i = 0; i < logits.Length; i++)
                    worst = Math.Max(worst, Math.Sqrt(logits[i].Zip(expected[i], (x, y) => (double)(x - y) * (x - y)).Sum() / expected[i].Sum(x => (double)x * x)));
            }
        }
        _output.WriteLine($"degrees 1, 2 and 4 of 60 models lie at most {worst:0.0000} apart");
        worst.ShouldBeLessThan(DegreeTolerance);
    }
}
