using System.Globalization;
using System.Text.RegularExpressions;

namespace Preserve.Cpu.Tests;

/// <summary>A plan with wrong numbers that is run anyway, unproved: it computes something, or ends with an error that says where.</summary>
public partial class DamagedPlanTests
{
    private const int Cases = 250;
    private const int Prompt = 5;

    private static readonly ModelSpec s_model = SmallModels.Model(16, 20, new LayerGroup(new[] { SmallModels.Layer() }, 2));

    private readonly ITestOutputHelper _output;

    public DamagedPlanTests(ITestOutputHelper output) => _output = output;

    [Fact]
    public async Task A_damaged_plan_is_refused_by_the_name_of_what_is_wrong_or_computed()
    {
        var random = new Random(11);
        var outcomes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var n = 0; n < Cases; n++)
        {
            var (prefill, decode) = Plans(random);
            var damagesPrefill = random.Next(2) == 0;
            var damaged = Damaged(PlanText.Write(damagesPrefill ? prefill : decode), random);
            var outcome = await Run(prefill, decode, damaged, damagesPrefill);
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }
        _output.WriteLine(string.Join(", ", outcomes.Select(o => $"{o.Value} {o.Key}")));
        outcomes.Keys.ShouldBe(["computed", "not read", "refused"]);
    }

    private static async Task<string> Run(ExecutionPlan prefill, ExecutionPlan decode, string damaged, bool damagesPrefill)
    {
        ExecutionPlan plan;
        try
        {
            plan = PlanText.ReadPlan(damaged);
        }
        catch (FormatException)
        {
            return "not read";
        }
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 1));
        try
        {
            backend.SetTokens([1, 2, 3, 4, 5]);
            await new Executor(backend).RunAsync(damagesPrefill ? plan : prefill, 0);
            backend.SetTokens([1]);
            await new Executor(backend).RunAsync(damagesPrefill ? decode : plan, Prompt);
            _ = backend.Logits();
            return "computed";
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The name of an instruction, a tensor, a step, or a property of the model or the plan.
            return Names().IsMatch(e.Message.Split(" (Parameter")[0]) ? "refused" : $"refused without a name: {e}";
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    private static (ExecutionPlan Prefill, ExecutionPlan Decode) Plans(Random random)
    {
        var ranks = 1 + random.Next(2);
        var deployment = Deployments.Of(s_model, ranks) with
        {
            KeyValueBlockTokens = random.Next(2) * 2,
            CollectiveFusion = ranks == 1 ? CollectiveFusion.None : (CollectiveFusion)random.Next(3),
            Prefetch = PrefetchPolicy.Paper,
        };
        if (random.Next(3) > 0)
            return (Deployments.Plan(deployment, new PrefillSpec(1, Prompt)), Deployments.Plan(deployment, new DecodeSpec(1, 8, Total: false, Prompt)));
        deployment = deployment with { KeyValueBlockTokens = 0, Offload = new OffloadSpec(KeyValues: Home.Host) };
        var split = Deployments.Recompute(deployment, 8, 3);
        return (Deployments.Plan(deployment, new PrefillSpec(1, Prompt), split), Deployments.Plan(deployment, new DecodeSpec(1, 8, Total: false, Prompt), split));
    }

    /// <summary>The text with one or two of its numbers changed.</summary>
    private static string Damaged(string text, Random random)
    {
        for (var i = random.Next(1, 3); i > 0; i--)
        {
            var numbers = Numbers().Matches(text);
            var number = numbers[random.Next(numbers.Count)];
            var value = long.TryParse(number.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var known) ? known : 5;
            long[] others = [0, 1, 2, 3, 7, 64, 4096, 65_536, 1_000_000, long.MaxValue, value / 2, value > 1 << 30 ? value : value * 2, value + 1, Math.Max(value - 1, 0)];
            text = string.Concat(text.AsSpan(0, number.Index), others[random.Next(others.Length)].ToString(CultureInfo.InvariantCulture), text.AsSpan(number.Index + number.Length));
        }
        return text;
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex Numbers();

    [GeneratedRegex("'[^']+'|the plan is of|a context of|an arena of")]
    private static partial Regex Names();
}
