using static Preserve.Execution.Tests.TestPlans;

namespace Preserve.Execution.Tests;

/// <summary>Copies between host and device, worked out by hand. The link carries 0.1 bytes a picosecond, 0.05 from pageable memory and 0.075 where
/// both directions run; the host's memory gives eight ranks 1 together, 0.125 each; HBM moves 1, the L2 gives 4.</summary>
public class TransferTests
{
    private const long MB = 1_000_000;
    private static readonly SimulationOptions s_cold = new() { ColdStart = true };
    private static readonly SimulationOptions s_traced = new() { ColdStart = true, RecordTimeline = true };

    private static readonly TensorDeclaration[] s_tensors =
    [
        OnHost(Weight("far", 10 * MB, perLayer: false)), OnHost(Weight("far-half", 5 * MB, perLayer: false)),
        Value("near", 10 * MB), Value("near-half", 5 * MB) with { Offset = 10 * MB }, Weight("w", 9 * MB, perLayer: false),
    ];

    private static readonly Instruction s_load = Copy("load", TransferDirection.HostToDevice, [Once("far")], [Once("near")], signals: true);
    private static readonly Instruction s_store = Copy("store", TransferDirection.DeviceToHost, [Once("near-half")], [Once("far-half")]);

    [Fact]
    public void A_copy_crosses_the_link_and_is_written_to_memory()
    {
        // 10 MB at 0.1. They lie in the L2 then: a matmul reads them at 4 in 2.5 us.
        var run = Simulate(Plan(s_tensors, s_load, Read("matmul", [Once("near")], ["load"])), options: s_cold);
        run.Picoseconds.ShouldBe((100 * MB) + 2_500_000);
        (run.HbmBytes, run.HotBytes, run.HbmBusyPicoseconds).ShouldBe((10 * MB, 10 * MB, 100 * MB));
    }

    [Fact]
    public void Pageable_memory_is_copied_at_its_own_rate() =>
        Simulate(Plan(s_tensors, s_load with { Operation = new TransferOperation(TransferDirection.HostToDevice, Pinned: false) }), options: s_cold)
            .Picoseconds.ShouldBe(200 * MB);

    [Fact]
    public void Each_copy_costs_the_latency_of_the_link() =>
        Simulate(Plan(s_tensors, s_load, s_load), device: With(l => l with { LatencyMicroseconds = 7 }), options: s_cold).Picoseconds.ShouldBe(214 * MB);

    [Theory]
    // Half of 0.125 is less than the 0.075 of the link: 10 MB at 0.0625 each way, but the 5 MB are through after 80 us; the other 5 take 50 us at 0.1.
    [InlineData(1000, 130_000_000)]
    // 0.075 each way: 5 MB take 66.667 us; the other 5 take 50 us at 0.1.
    [InlineData(2000, 116_666_667)]
    public void Both_directions_slow_each_other(double hostMemory, long picoseconds) =>
        Simulate(Plan(s_tensors, s_load, s_store), device: With(l => l with { HostMemoryGigabytesPerSecond = hostMemory }), options: s_cold)
            .Picoseconds.ShouldBe(picoseconds);

    [Fact]
    public void One_copy_engine_copies_one_after_the_other() =>
        Simulate(Plan(s_tensors, s_load, s_store), device: With(l => l with { CopyEngines = 1 }), options: s_cold).Picoseconds.ShouldBe(150 * MB);

    [Theory]
    [InlineData(1, 100_000_000)]
    [InlineData(10, 100_000_000)]
    // 1 / 16 a picosecond for each rank.
    [InlineData(16, 160_000_000)]
    public void Ranks_share_the_memory_of_their_host(int ranks, long picoseconds) =>
        Simulate(Plan(s_tensors, s_load) with { Ranks = ranks }, options: s_cold).Picoseconds.ShouldBe(picoseconds);

    [Fact]
    public void A_copy_takes_its_rate_of_memory_from_a_kernel_beside_it()
    {
        // HBM: 0.1 for the copy and 0.9 for the matmul, whose 9 MB take 10 us.
        var run = Simulate(Plan(s_tensors, s_load, Read("matmul", [Once("w")])), options: s_traced);
        run.Timeline.Single(i => i.Label == "matmul").EndPicoseconds.ShouldBe(10 * MB);
        run.Picoseconds.ShouldBe(100 * MB);
    }

    [Fact]
    public void What_is_in_the_L2_is_copied_from_there()
    {
        var run = Simulate(Plan(s_tensors, Read("matmul", [Once("near-half")], signals: true), s_store with { Waits = new[] { "matmul" } }), options: s_traced);
        // 5 us for the cold read, 50 for the copy, which moves nothing out of HBM.
        run.Picoseconds.ShouldBe(55 * MB);
        (run.HbmBytes, run.HotBytes).ShouldBe((5 * MB, 5 * MB));
    }

    [Fact]
    public void A_pipelined_layer_takes_the_longer_of_copy_and_kernel()
    {
        // 24 layers of 1 MB each: the copy of layer i + 1 runs under the matmul of layer i, which is shorter. 24 copies of 10 us, and the last matmul from the L2.
        var plan = Plan(
            [OnHost(Weight("far", MB)), Value("even", MB), Value("odd", MB) with { Offset = MB }],
            Copy("load", TransferDirection.HostToDevice, [Of("far", 0)], [Once("even")], signals: true),
            new Repeat(11, 0, 2, new PlanNode[]
            {
                Copy("load-odd", TransferDirection.HostToDevice, [Here("far", 1)], [Once("odd")], ["read-odd"], signals: true),
                Read("read-even", [Once("even")], ["load"], signals: true),
                Copy("load", TransferDirection.HostToDevice, [Here("far", 2)], [Once("even")], ["read-even"], signals: true),
                Read("read-odd", [Once("odd")], ["load-odd"], signals: true),
            }),
            Copy("load-odd", TransferDirection.HostToDevice, [Of("far", 23)], [Once("odd")], ["read-odd"], signals: true),
            Read("read-even", [Once("even")], ["load"]),
            Read("read-odd", [Once("odd")], ["load-odd"]));
        Simulate(plan, options: s_cold).Picoseconds.ShouldBe((240 * MB) + 250_000);
        Simulate(plan.Unroll(), options: s_cold).Picoseconds.ShouldBe((240 * MB) + 250_000);
    }

    [Fact]
    public void A_copy_of_no_bytes_is_not_launched_and_is_waited_for_in_its_place()
    {
        var plain = PlainDevice(eventMicroseconds: 1);
        var device = plain with { HostLink = plain.HostLink with { LatencyMicroseconds = 7 } };
        var none = new UnitRange(0, 0);
        var nothing = Copy("nothing", TransferDirection.HostToDevice, [Once("far-half") with { Range = none }], [Once("near-half") with { Range = none }], ["first"], signals: true);
        var first = Read("first", [Once("w")], signals: true);
        // 9 us of the first matmul, then 1 of the event, 7 of latency and 100 of the copy behind the one of no bytes.
        var behind = Simulate(Plan(s_tensors, first, nothing, s_load), device: device, options: s_cold);
        behind.Picoseconds.ShouldBe(117 * MB);
        behind.CopyToDevicePicoseconds.ShouldBe(108 * MB);
        behind.ShouldBe(Simulate(Plan(s_tensors, first, s_load with { Waits = new[] { "first" } }), device: device, options: s_cold));
        behind.CopyHiddenPicoseconds.ShouldBe(0);
        // Nothing else is waited for.
        Simulate(Plan(s_tensors, first, nothing), device: device, options: s_cold).Picoseconds.ShouldBe(9 * MB);
    }

    private static Device With(Func<HostLink, HostLink> change)
    {
        var device = PlainDevice();
        return device with { HostLink = change(device.HostLink) };
    }
}
