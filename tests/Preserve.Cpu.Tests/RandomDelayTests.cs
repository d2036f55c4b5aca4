namespace Preserve.Cpu.Tests;

/// <summary>The streams are real: a plan is right in every order that its events allow, and wrong in some when one that it needs is left out.</summary>
public class RandomDelayTests
{
    private const int Prompt = 6;
    private const int Seeds = 12;

    private static readonly ModelSpec s_model = SmallModels.Model(32, 40, new LayerGroup(new[] { SmallModels.Layer(heads: 4, keyValueHeads: 4) }, 6));

    private static readonly int[][] s_tokens = Deployments.Tokens(s_model, 2, Prompt + 2, 5);

    private readonly ITestOutputHelper _output;

    public RandomDelayTests(ITestOutputHelper output) => _output = output;

    [Fact]
    public async Task A_plan_gives_the_same_bits_under_any_delays()
    {
        foreach (var plans in Cases())
        {
            var expected = await Logits(plans.Prefill, plans.Decode, null);
            for (var seed = 0UL; seed < Seeds; seed++)
                (await Logits(plans.Prefill, plans.Decode, seed)).ShouldBe(expected, $"seed {seed}");
        }
    }

    [Fact]
    public async Task An_event_that_is_left_out_is_refused_and_where_it_is_run_anyway_mostly_caught_by_the_numbers()
    {
        var (needed, caught, runs) = (0, 0, 0);
        var missed = new List<string>();
        foreach (var (name, prefill, decode) in Cases())
        {
            var expected = await Logits(prefill, decode, null);
            foreach (var (wait, plan) in WithoutAWait(decode))
            {
                // A prefetch waits for its window and for nothing that it needs.
                if (Optimizer.PlanVerifier.Verify(plan).Count == 0)
                {
                    wait.ShouldStartWith("under_");
                    continue;
                }
                needed++;
                var strikes = false;
                for (var seed = 0UL; seed < Seeds && !strikes; seed++, runs++)
                    strikes = !(await Logits(prefill, plan, seed)).AsSpan().SequenceEqual(expected);
                caught += strikes ? 1 : 0;
                if (!strikes)
                    missed.Add($"{name}: {wait}");
            }
        }
        _output.WriteLine($"{needed} events were left out and refused; run anyway, {caught} were caught by the numbers within {Seeds} seeds, in {runs} runs; not caught: {string.Join(", ", missed)}");
        needed.ShouldBeGreaterThan(20);
        caught.ShouldBeGreaterThan(needed * 6 / 10);
    }

    private static IEnumerable<(string Name, ExecutionPlan Prefill, ExecutionPlan Decode)> Cases()
    {
        var step = new DecodeSpec(2, Prompt + 1, Total: false, Prompt);
        var ranks = Deployments.Of(s_model, 2) with { Prefetch = PrefetchPolicy.Paper };
        yield return ("two ranks", Deployments.Plan(ranks, new PrefillSpec(2, Prompt)), Deployments.Plan(ranks, step));
        var host = Deployments.Of(s_model, 1) with { Offload = new OffloadSpec(Home.Host, Home.Host) };
        var split = Deployments.Recompute(host, step.MaxContext, 3);
        yield return ("host", Deployments.Plan(host, new PrefillSpec(2, Prompt), split), Deployments.Plan(host, step, split));
    }

    /// <summary>The logits of two decode steps behind a prefill: what a step stores too late, the next one misses.</summary>
    private static async Task<float[]> Logits(ExecutionPlan prefill, ExecutionPlan decode, ulong? seed)
    {
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 6), new CpuOptions { Threads = 1, DelaySeed = seed, LongestDelayMicroseconds = 100 });
        return [.. (await Deployments.LogitsAsync(backend, prefill, decode, s_tokens)).Skip(1).SelectMany(l => l)];
    }

    /// <summary>The plan without each of its waits in turn.</summary>
    private static IEnumerable<(string Wait, ExecutionPlan Plan)> WithoutAWait(ExecutionPlan plan)
    {
        var count = plan.Instructions().Sum(i => i.Waits.Count);
        for (var left = 0; left < count; left++)
        {
            var (at, what) = (0, "");
            var body = Without(plan.Body);
            yield return (what, plan with { Body = body });

            EquatableArray<PlanNode> Without(EquatableArray<PlanNode> nodes) => nodes.Select(node =>
            {
                if (node is Repeat repeat)
                    return repeat with { Body = Without(repeat.Body) };
                var instruction = (Instruction)node;
                var index = left - at;
                at += instruction.Waits.Count;
                if (index < 0 || index >= instruction.Waits.Count)
                    return node;
                what = $"{instruction.Label} after {instruction.Waits[index]}";
                return instruction with { Waits = instruction.Waits.Where((_, w) => w != index).ToArray() };
            }).ToArray();
        }
    }
}
