namespace Preserve.Optimizer.Tests;

/// <summary>On a device that costs nothing but memory, arithmetic and links, prefetch is all that stands between a plan and the bound.</summary>
public class IdealDeviceTests
{
    /// <summary>The last is how many times the bound Best may take.</summary>
    public static TheoryData<string, int, int, int, double> Deployments { get; } = new()
    {
        { nameof(Specs.Llama3_70B), 8, 4, 16_384, 1.02 },
        { nameof(Specs.Llama3_70B), 8, 64, 4096, 1.02 },
        // Memory takes about as long as the critical path: what one window leaves idle no other makes up for.
        { nameof(Specs.Llama3_8B), 4, 1, 2048, 1.05 },
        { nameof(Specs.Llama3_8B), 8, 16, 8192, 1.02 },
        { nameof(Specs.Gemma2_27B), 8, 4, 8192, 1.02 },
        { nameof(Specs.TwoKinds), 2, 8, 4096, 1.02 },
    };

    /// <summary>Several layers fit and not the model, and least recently used leaves nothing of a step to the next: each byte has to cross
    /// memory once, in time. A plan that prefetches nothing is far from that.</summary>
    [Theory]
    [MemberData(nameof(Deployments))]
    public void With_an_L2_that_holds_a_few_layers_Best_is_within_two_percent_of_what_nothing_kept_allows_but_for_one(string model, int ranks, int batch, int context, double most)
    {
        var (search, chosen, laws) = Chosen(model, ranks, batch, context, l2Mebibytes: 1024);
        var keepsNothing = new NominalCostLaws(laws.Device with { L2 = laws.Device.L2 with { CapacityMebibytes = null } });
        Ratio(chosen.Plan, chosen.Plan, laws, laws).ShouldBeGreaterThanOrEqualTo(1);
        Ratio(chosen.Plan, chosen.Plan, laws, keepsNothing).ShouldBeLessThanOrEqualTo(most);
        Ratio(search.Base!, chosen.Plan, laws, keepsNothing).ShouldBeGreaterThan(1.5);
    }

    /// <summary>What one step reads stays for the next: everything is hot, and there is nothing to prefetch.</summary>
    [Theory]
    [MemberData(nameof(Deployments))]
    public void With_an_L2_that_holds_everything_a_step_takes_the_bound_and_Best_prefetches_nothing(string model, int ranks, int batch, int context, double _)
    {
        var (search, chosen, laws) = Chosen(model, ranks, batch, context, l2Mebibytes: 1e6);
        Ratio(search.Base!, chosen.Plan, laws, laws).ShouldBeInRange(1, 1.02);
        Ratio(chosen.Plan, chosen.Plan, laws, laws).ShouldBeInRange(1, 1.02);
        chosen.Plan.Instructions().ShouldAllBe(i => i.Stream != StreamKind.Prefetch);
    }

    private static (BestPrefetch Search, StepDraft Chosen, ICostLaws Laws) Chosen(string name, int ranks, int batch, int context, double l2Mebibytes)
    {
        var model = (ModelSpec)typeof(Specs).GetProperty(name)!.GetValue(null)!;
        _ = DeviceCatalogue.TryGet(Devices.Ascend910B2, out var known);
        var device = known! with
        {
            // Faster than anything that could wait for it, and as large as is asked for.
            L2 = new L2Cache(l2Mebibytes, l2Mebibytes, ReadTerabytesPerSecond: 1e6, WriteTerabytesPerSecond: 1e6, LimitMebibytes: l2Mebibytes),
            // One kernel draws all that memory gives.
            Kernels = new KernelConstants(0, known.Hbm.SustainedGigabytesPerSecond / 1000, known.Kernels.MatMulBf16Teraflops, 0, 0, 0, 0),
        };
        var deployment = Specs.Deploy(model, ranks, Specs.Decode(batch, context), prefetch: PrefetchPolicy.Best);
        var laws = new NominalCostLaws(device);
        var search = new BestPrefetch(deployment, deployment.Steps[0], laws, default);
        return (search, search.Choose(), laws);
    }

    /// <summary>A plan's time over the bound of a plan's operators, by laws of their own.</summary>
    private static double Ratio(ExecutionPlan plan, ExecutionPlan bounded, ICostLaws laws, ICostLaws ofTheBound)
    {
        var context = plan.Step.MaxContext;
        return (double)new PlanTimes(laws, default).Of(plan, context) / LowerBound.Of(bounded, context, ofTheBound).Picoseconds;
    }
}
