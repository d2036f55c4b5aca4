using static Preserve.Execution.Tests.TestPlans;

namespace Preserve.Execution.Tests;

public class ResidencyTests
{
    private const long MB = 1_000_000;
    private static readonly SimulationOptions s_coldTraced = new() { ColdStart = true, RecordTimeline = true };

    [Fact]
    public void A_third_evicted_costs_a_third_of_the_difference()
    {
        // Measured on a 128 MB L2: 50 MB take 28.8 us cold, 11 resident, 17.3 with a third evicted. The linear law gives
        // 2/3 x 11 + 1/3 x 28.8 = 16.9. Here 94 MB fit: 50 + 60.667 MB used after it push 16.667 MB of the weight out.
        var device = PlainDevice() with
        {
            Hbm = new HbmMemory(80, 50 / 0.0288, 50 / 0.0288),
            L2 = new L2Cache(94_000_000 / 1048576.0, 94_000_000 / 1048576.0, 50 / 11.0, null),
        };
        device = device with { Kernels = device.Kernels with { MatMulHbmTerabytesPerSecond = 50 / 28.8 } };
        var plan = Plan([Weight("w", 50 * MB, perLayer: false), Weight("other", 60_666_667, perLayer: false)],
            Read("cold", [Once("w")]), Read("resident", [Once("w")]), Read("other", [Once("other")]), Read("part", [Once("w")]));
        var times = Simulate(plan, device: device, options: s_coldTraced).Timeline.Select(i => (i.EndPicoseconds - i.StartPicoseconds) / 1e6).ToArray();
        times[0].ShouldBe(28.8, tolerance: 0.001);
        times[1].ShouldBe(11, tolerance: 0.001);
        times[3].ShouldBe(16.93, tolerance: 0.01);
        times[3].ShouldBe(17.3, tolerance: 0.5);
    }

    [Fact]
    public void A_step_starts_from_the_L2_that_its_predecessor_left()
    {
        var plan = Plan([Weight("w", 8 * MB, perLayer: false)], Read("matmul", [Once("w")]));
        Simulate(plan, options: new SimulationOptions { ColdStart = true }).Picoseconds.ShouldBe(8 * MB);
        Simulate(plan).Picoseconds.ShouldBe(2 * MB);
        // What does not fit is evicted before it is read again.
        var large = Plan([Weight("w", 50 * MB, perLayer: false), Weight("v", 40 * MB, perLayer: false)], Read("one", [Once("w")]), Read("two", [Once("v")]));
        var run = Simulate(large);
        run.HotBytes.ShouldBeLessThan(50 * MB);
    }

    [Fact]
    public void A_lookup_touches_its_rows_alone_and_keeps_none()
    {
        var embed = new EmbedOperation(4, 1000);
        var plan = Plan([Weight("table", 30 * MB, perLayer: false)],
            Run(StreamKind.Compute, "one", embed, [Once("table")]), Run(StreamKind.Compute, "two", embed, [Once("table")]));
        Simulate(plan, options: s_coldTraced).Timeline.Select(i => (i.HotBytes, i.ColdBytes)).ShouldBe([(0L, 4000L), (0L, 4000L)]);
    }

    [Fact]
    public void What_is_written_is_hot_for_its_reader()
    {
        var plan = Plan([Value("x", 1 * MB)],
            Run(StreamKind.Compute, "norm", new NormOperation(Norm.Rms, 1, 1), [], writes: [Once("x")]), Read("matmul", [Once("x")]));
        var run = Simulate(plan, options: s_coldTraced);
        run.Timeline[1].HotBytes.ShouldBe(1 * MB);
        run.Picoseconds.ShouldBe((1 * MB) + (MB / 4));
    }

    [Fact]
    public void Ranges_of_the_cache_are_kept_apart()
    {
        var newest = new UnitRange(Amount.Context, Amount.Context + 1);
        var plan = Plan([KeyValues("kv", 1000)],
            Run(StreamKind.Compute, "store", new ElementwiseOperation(ElementwiseFunction.Store, 1, 1), [], writes: [new TensorReference("kv", LayerIndex.Of(3), newest)]),
            Prefetch("prefetch", [new TensorReference("kv", LayerIndex.Of(3), new UnitRange(0, Amount.Context))], signals: true),
            Read("attention", [Of("kv", 3)], ["prefetch"]), Read("elsewhere", [Of("kv", 4)]));
        var timeline = Simulate(plan, 500, options: s_coldTraced).Timeline;
        timeline.Single(i => i.Label == "prefetch").ColdBytes.ShouldBe(500_000);
        timeline.Single(i => i.Label == "attention").HotBytes.ShouldBe(501_000);
        timeline.Single(i => i.Label == "elsewhere").HotBytes.ShouldBe(0);
    }
}
