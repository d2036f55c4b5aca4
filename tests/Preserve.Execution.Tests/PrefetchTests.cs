using static Preserve.Execution.Tests.TestPlans;

namespace Preserve.Execution.Tests;

/// <summary>What a prefetch saves and costs. The device reads a megabyte in 1 us from HBM, in 0.25 us from the L2.</summary>
public class PrefetchTests
{
    private const long MB = 1_000_000;
    private static readonly SimulationOptions s_cold = new() { ColdStart = true };
    private static readonly SimulationOptions s_coldTraced = new() { ColdStart = true, RecordTimeline = true };

    [Fact]
    public void What_arrived_is_hot()
    {
        // 10 us of all-reduce latency hide the 8 MB prefetch; the matmul then takes 8 / 4 = 2 us.
        var plan = Plan([Weight("w", 8 * MB, perLayer: false)],
            Prefetch("prefetch", [Once("w")]),
            AllReduce("reduce", 0),
            Read("matmul", [Once("w")], ["reduce"]));
        var run = Simulate(plan, options: s_cold);
        run.Picoseconds.ShouldBe(12 * MB);
        (run.HbmBytes, run.HotBytes, run.PrefetchedBytes).ShouldBe((8 * MB, 8 * MB, 8 * MB));
        run.CollectiveExposedPicoseconds.ShouldBe(10 * MB);
        run.HbmBusyPicoseconds.ShouldBe(8 * MB);
    }

    [Fact]
    public void What_has_not_arrived_is_cold_and_read_twice()
    {
        // At 10 us, 10 of 14 MB are there. Hot: 10 MB beside the prefetch's last 4, both through the L2 of 4 TB/s:
        // the prefetch has 1 of it (HBM is full), the matmul 3, until 3.333 us. By then 0.667 MB of the prefetch are left, and the
        // matmul's 4 cold MB share HBM with them at 0.5 each: 1.333 us. 3.333 MB are left for the matmul alone: 3.333 us. In all 18 us.
        var plan = Plan([Weight("w", 14 * MB, perLayer: false)],
            Prefetch("prefetch", [Once("w")]),
            AllReduce("reduce", 0),
            Read("matmul", [Once("w")], ["reduce"]));
        var run = Simulate(plan, options: s_coldTraced);
        run.Picoseconds.ShouldBeInRange(18 * MB, (18 * MB) + 5);
        (run.HbmBytes, run.LateBytes).ShouldBe((18 * MB, 4 * MB));
        var matmul = run.Timeline.Single(i => i.Label == "matmul");
        (matmul.HotBytes, matmul.ColdBytes, matmul.StartPicoseconds).ShouldBe((10 * MB, 4 * MB, 10 * MB));
        run.Timeline.Single(i => i.Label == "prefetch").EndPicoseconds.ShouldBeInRange(14_666_665, 14_666_668);
    }

    [Fact]
    public void Nobody_waits_for_a_prefetch_that_helps_nobody()
    {
        // The prefetch takes half of HBM for 6 us in vain: the matmul, 6 MB of another weight, takes 12 us instead of 6.
        var plan = Plan([Weight("w", 30 * MB, perLayer: false), Weight("other", 6 * MB, perLayer: false)],
            Prefetch("prefetch", [Once("w")]),
            Read("matmul", [Once("other")]));
        var run = Simulate(plan, options: s_coldTraced);
        run.Timeline.Single(i => i.Label == "matmul").EndPicoseconds.ShouldBe(12 * MB);
        run.Picoseconds.ShouldBe(36 * MB);
    }

    [Fact]
    public void Only_what_is_missing_is_fetched()
    {
        var plan = Plan([Weight("w", 8 * MB, perLayer: false)],
            Prefetch("first", [Once("w", new UnitRange(0, 3 * MB))]),
            Prefetch("second", [Once("w")]),
            Prefetch("third", [Once("w")]));
        var run = Simulate(plan, options: s_coldTraced);
        run.Timeline.Select(i => i.ColdBytes).ShouldBe([3 * MB, 5 * MB, 0]);
        run.Picoseconds.ShouldBe(8 * MB);
    }

    [Fact]
    public void An_empty_prefetch_costs_nothing_and_any_other_its_launch_and_events()
    {
        var device = PlainDevice(fixedMicroseconds: 2, eventMicroseconds: 1);
        var plan = Plan([KeyValues("kv", 1000), Value("x", 100)],
            Read("matmul", [Once("x")], signals: true),
            Prefetch("prefetch", [new TensorReference("kv", LayerIndex.Of(0), new UnitRange(100, Amount.Max(Amount.Context, 100)))], ["matmul"]));
        var matmul = (2 * MB) + 100;
        Simulate(plan, 100, device, s_cold).Picoseconds.ShouldBe(matmul);
        // 2 us of launch, 1 us for the event, and 900 tokens of 1000 bytes.
        Simulate(plan, 1000, device, s_cold).Picoseconds.ShouldBe(matmul + (3 * MB) + 900_000);
    }

    [Fact]
    public void Prefetched_bytes_that_were_evicted_are_cold_again()
    {
        // 20 MiB of L2. The 15 MB prefetched are pushed out in part by the 12 MB that pass: 20,971,520 - 12,000,000 stay.
        var plan = Plan([Weight("w", 15 * MB, perLayer: false), Weight("other", 12 * MB, perLayer: false)],
            Prefetch("prefetch", [Once("w")], signals: true),
            Read("other", [Once("other")], ["prefetch"]),
            Read("matmul", [Once("w")]));
        var run = Simulate(plan, device: PlainDevice(l2Mebibytes: 20), options: s_coldTraced);
        run.Timeline[2].HotBytes.ShouldBe(8_971_520);
    }

    [Fact]
    public void Without_a_known_L2_a_prefetch_only_costs()
    {
        var device = PlainDevice();
        device = device with { L2 = device.L2 with { ReadTerabytesPerSecond = null } };
        var plan = Plan([Weight("w", 8 * MB, perLayer: false)],
            Prefetch("prefetch", [Once("w")], signals: true),
            Read("matmul", [Once("w")], ["prefetch"]));
        Simulate(plan, device: device).Picoseconds.ShouldBe(16 * MB);
    }

    [Fact]
    public void A_collective_that_shares_the_matmuls_kernel_leaves_less_memory_idle()
    {
        // The matmul reads 20 MB: 20 us. Its all-reduce of 0.4 MB receives 2 x 7/8 of that at 0.1 MB/us: 10 us of latency and 7 us. One
        // after the other take 37 us, and 14 MB are prefetched beside the exchange for nothing.
        var matmul = new MatMulOperation(1, 1280, 1, Precision.Int8, Precision.Int8);
        var exchange = new CollectiveOperation(CollectiveKind.AllReduce, 400_000, 8);
        TensorDeclaration[] tensors = [Weight("w", 20 * MB, perLayer: false), Weight("next", 14 * MB, perLayer: false)];
        var mul = Run(StreamKind.Compute, "mul", matmul, [Once("w")], signals: true);
        var reduce = Run(StreamKind.Collective, "reduce", exchange, [], ["mul"]);
        Simulate(Plan(tensors, mul, reduce), options: s_cold).Picoseconds.ShouldBe(37 * MB);
        Simulate(Plan(tensors, mul, reduce, Prefetch("prefetch", [Once("next")], ["mul"])), options: s_cold).Picoseconds.ShouldBe(37 * MB);

        // In one kernel of 10 tiles: 7 / 10 us for a tile of the exchange, and 20 us beside which the exchange is over. Prefetched bytes
        // now come out of the matmul's share: 0.7 MB before it begins, then half of memory each until 27.3 us, when the matmul has had
        // 13.3 MB and takes 6.7 us for the rest.
        var fused = Run(StreamKind.Collective, "fused", exchange with { MatMul = matmul }, [Once("w")]);
        Simulate(Plan(tensors, fused), options: s_cold).Picoseconds.ShouldBeInRange(20_700_000, 20_700_002);
        Simulate(Plan(tensors, fused, Prefetch("prefetch", [Once("next")])), options: s_cold).Picoseconds.ShouldBeInRange(34 * MB, (34 * MB) + 4);
    }
}
