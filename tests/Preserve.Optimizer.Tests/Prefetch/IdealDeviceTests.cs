namespace Preserve.Optimizer.Tests;

/// <summary>On a device that costs nothing but memory, arithmetic and links, prefetch is all that stands between a plan and the bound.</summary>
public class IdealDeviceTests
{
    public static TheoryData<string, int, int, int> Deployments { get; } = new()
    {
        { nameof(Specs.Llama3_70B), 8, 4, 16_384 },
        { nameof(Specs.Llama3_70B), 8, 64, 4096 },
        { nameof(Specs.Llama3_8B), 4, 1, 2048 },
        { nameof(Specs.Llama3_8B), 8, 16, 8192 },
        { nameof(Specs.Gemma2_27B), 8, 4, 8192 },
        { nameof(Specs.TwoKinds), 2, 8, 4096 },
    };

    /// <summary>What one step reads stays for the next: everything is hot.</summary>
    [Theory]
    [MemberData(nameof(Deployments))]
    public void With_an_L2_that_holds_everything_Best_is_within_two_percent_of_the_bound(string model, int ranks, int batch, int context) =>
        Check(model, ranks, batch, context, l2Mebibytes: 1e6, most: 1.02);

    /// <summary>Several layers fit and not the model, and least recently used leaves nothing of a step to the next: each byte has to cross
    /// memory once, in time. Where that takes about as long as the critical path, what one window leaves idle no other makes up for.</summary>
    [Theory]
    [MemberData(nameof(Deployments))]
    public void With_an_L2_that_holds_a_few_layers_Best_is_within_five_percent_of_what_nothing_kept_allows(string model, int ranks, int batch, int context) =>
        Check(model, ranks, batch, context, l2Mebibytes: 1024, most: 1.05);

    private static void Check(string name, int ranks, int batch, int context, double l2Mebibytes, double most)
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
        var step = deployment.Steps[0];
        var chosen = new BestPrefetch(deployment, step, laws, default).Choose();
        var time = new PlanTimes(laws, default).Of(chosen.Plan, step.MaxContext);
        LowerBound.Of(chosen.Plan, step.MaxContext, laws).Picoseconds.ShouldBeLessThanOrEqualTo(time);
        var bound = l2Mebibytes < 1e6
            ? LowerBound.Of(chosen.Plan, step.MaxContext, new NominalCostLaws(device with { L2 = device.L2 with { CapacityMebibytes = null } }))
            : LowerBound.Of(chosen.Plan, step.MaxContext, laws);
        ((double)time / bound.Picoseconds).ShouldBeLessThanOrEqualTo(most, $"{time} ps, bound {bound}");
    }
}
