namespace Preserve.Optimizer.Tests;

/// <summary>What is emitted for the largest context costs nothing at the others.</summary>
public class NeverWorseTests
{
    private static readonly ModelSpec _llama2_7B = Specs.Model("Llama2_7B", 4096, 32_000, Specs.Group(32, Specs.Layer("DecoderLayer", 32, 32, 128, 11_008)));
    private static readonly ModelSpec _llama2_13B = Specs.Model("Llama2_13B", 5120, 32_000, Specs.Group(40, Specs.Layer("DecoderLayer", 40, 40, 128, 13_824)));

    /// <summary>Deployments for which choices are fast at the largest context that cost time in the midst of the range.</summary>
    public static TheoryData<string> Names { get; } = [.. _cases.Keys];

    private static Dictionary<string, (ModelSpec Model, string Device, int Ranks, DecodeSpec Step, Precision Format)> _cases => new()
    {
        ["OPT-13B on L40S"] = (Specs.Opt13B, Devices.L40S, 1, new DecodeSpec(16, 250, Total: false, Prompt: 1), Precision.Bf16),
        ["OPT-30B on L40S"] = (Specs.Opt30B, Devices.L40S, 1, new DecodeSpec(16, 900, Total: false, Prompt: 1), Precision.Int8),
        ["Llama-3-8B on TPU v5e"] = (Specs.Llama3_8B, Devices.TpuV5e, 1, new DecodeSpec(8, 3314, Total: false, Prompt: 1), Precision.Bf16),
        ["Llama-2-7B on H200"] = (_llama2_7B, Devices.H200, 8, new DecodeSpec(64, 2049, Total: false, Prompt: 1), Precision.Bf16),
        ["Llama-2-13B on TPU v5e"] = (_llama2_13B, Devices.TpuV5e, 4, new DecodeSpec(4, 8192, Total: false, Prompt: 64), Precision.Int8),
        ["two kinds of layers on TPU v5e"] = (Specs.TwoKinds, Devices.TpuV5e, 1, new DecodeSpec(8, 2048, Total: false, Prompt: 1), Precision.Bf16),
        ["two kinds of layers on L40S"] = (Specs.TwoKinds, Devices.L40S, 2, new DecodeSpec(8, 8191, Total: false), Precision.Int8),
        ["Gemma-2-27B on TPU v5e"] = (Specs.Gemma2_27B, Devices.TpuV5e, 8, new DecodeSpec(8, 32_768, Total: false), Precision.Bf16),
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void At_no_context_is_the_plan_slower_than_the_base_plan(string name)
    {
        var (search, choice, times, step) = Chosen(name);
        // The planner looks at some contexts of the range; these are others, or all of them.
        var random = new Random(1);
        var contexts = step.MaxContext < 600 ? Enumerable.Range(1, step.MaxContext) : Enumerable.Range(0, 300).Select(_ => random.Next(step.MinContext, step.MaxContext + 1));
        foreach (var context in contexts)
            times.Of(choice.Plan, context).ShouldBeLessThanOrEqualTo(times.Of(search.Base!, context), $"at {context}");
    }

    [Fact]
    public void Nothing_is_prefetched_where_the_choice_costs_time_and_elsewhere_it_is_kept()
    {
        foreach (var deployment in Pausing(3))
        {
            var (step, laws) = (deployment.Steps[0], CostLaws.For(Get(deployment.Device)));
            var search = new BestPrefetch(deployment, step, laws, default);
            var (choice, times) = (search.Choose(), new PlanTimes(laws, default));
            foreach (var pause in choice.Pauses)
            {
                foreach (var context in new[] { pause.First, pause.First + ((pause.Last - pause.First) / 2), pause.Last })
                {
                    PrefetchedUnits(choice.Plan, context).ShouldBe(0);
                    times.Of(choice.Plan, context).ShouldBe(times.Of(search.Base!, context));
                }
            }
            // Some of the range is lost, and not all: the gain at the largest context stays.
            choice.Pauses.Sum(p => p.Last - p.First + 1L).ShouldBeLessThan((step.MaxContext - step.MinContext) / 2);
            times.Of(choice.Plan, step.MaxContext).ShouldBeLessThan(times.Of(search.Base!, step.MaxContext) * 99 / 100);
            PlanVerifier.Verify(choice.Plan).ShouldBeEmpty();
        }
    }

    [Fact]
    public void The_report_says_where_nothing_is_prefetched()
    {
        var deployment = Pausing(1).Single();
        var (plan, report) = Planner.Plan(deployment, Get(deployment.Device)).Steps[0];
        report.Pauses.ShouldNotBeEmpty();
        foreach (var pause in report.Pauses)
            PrefetchedUnits(plan, pause.Last).ShouldBe(0);
        // What it says of the step is the choice's.
        report.StepPicoseconds.ShouldBeLessThan(report.BasePicoseconds);
    }

    [Fact]
    public void Ranges_that_touch_become_one() =>
        ContextCheck.Union([new(1, 4), new(20, 30)], [new(5, 9), new(25, 40), new(50, 50)]).ShouldBe([new(1, 9), new(20, 40), new(50, 50)]);

    /// <summary>Deployments whose choice, by the search as it is, costs time at some contexts.</summary>
    private static List<DeploymentSpec> Pausing(int count)
    {
        var all = from model in new[] { Specs.Opt13B, Specs.Opt30B, Specs.TwoKinds, _llama2_7B }
                  from device in new[] { Devices.L40S, Devices.TpuV5e, "mi300x", Devices.A100Sxm80 }
                  from batch in new[] { 8, 16 }
                  from context in new[] { 250, 900, 1500 }
                  from format in new[] { Precision.Bf16, Precision.Int8 }
                  select Specs.Deploy(model, 1, new DecodeSpec(batch, context, Total: false, Prompt: 1), format, PrefetchPolicy.Best, device);
        var pausing = all.Where(d => new BestPrefetch(d, d.Steps[0], CostLaws.For(Get(d.Device)), default).Choose().Pauses.Count > 0).Take(count).ToList();
        pausing.Count.ShouldBe(count);
        return pausing;
    }

    private static (BestPrefetch Search, StepDraft Choice, PlanTimes Times, StepSpec Step) Chosen(string name)
    {
        var (model, device, ranks, step, format) = _cases[name];
        var laws = CostLaws.For(Get(device));
        var search = new BestPrefetch(Specs.Deploy(model, ranks, step, format, PrefetchPolicy.Best, device), step, laws, default);
        return (search, search.Choose(), new PlanTimes(laws, default), step);
    }

    private static long PrefetchedUnits(ExecutionPlan plan, int context) =>
        plan.Instructions().Where(i => i.Operation is PrefetchOperation).SelectMany(i => i.Reads).Sum(r => r.Range is null ? 1 : r.Range.Length.At(context));

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device! : throw new InvalidOperationException(id);
}
