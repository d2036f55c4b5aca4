using static Preserve.Execution.Tests.TestPlans;

namespace Preserve.Execution.Tests;

public class SimulatedBackendTests
{
    private const long Microsecond = 1_000_000;
    private static readonly SimulationOptions s_coldTraced = new() { ColdStart = true, RecordTimeline = true };

    [Fact]
    public void Three_kernels_share_memory_as_worked_out_by_hand()
    {
        // HBM 1 TB/s. Matmuls draw at most 0.25, others all. A: matmul of 1 MB; B and C: norms of 3 and 6 MB, on other streams.
        // Until A ends: A 0.25, B and C 0.375. A ends at 4 us; B and C then have 1.5 and 4.5 MB left and draw 0.5 each.
        // B ends at 7 us; C has 3 MB left, alone: 10 us.
        var device = PlainDevice();
        device = device with { Kernels = device.Kernels with { MatMulHbmTerabytesPerSecond = 0.25 } };
        var norm = new NormOperation(Norm.Rms, 1, 1);
        var plan = Plan([Weight("a", 1_000_000, perLayer: false), Weight("b", 3_000_000, perLayer: false), Weight("c", 6_000_000, perLayer: false)],
            Read("A", [Once("a")]), Run(StreamKind.Collective, "B", norm, [Once("b")]), Run(StreamKind.HostToDevice, "C", norm, [Once("c")]));
        var run = Simulate(plan, device: device, options: s_coldTraced);
        run.Timeline.Select(i => (i.Label, i.EndPicoseconds)).ShouldBe([("A", 4 * Microsecond), ("B", 7 * Microsecond), ("C", 10 * Microsecond)]);
        run.HbmBusyPicoseconds.ShouldBe(10 * Microsecond);
    }

    [Fact]
    public void A_kernel_takes_its_fixed_time_and_the_longest_of_its_demands()
    {
        // 2 us fixed; 3 MB in 3 us, 2 x 1 x 50,000 x 10,000 operations at 200 TFLOP/s in 5 us.
        var plan = Plan([Weight("w", 3_000_000, perLayer: false)],
            Run(StreamKind.Compute, "matmul", new MatMulOperation(1, 50_000, 10_000, Precision.Int8, Precision.Int8), [Once("w")]));
        Simulate(plan, device: PlainDevice(fixedMicroseconds: 2), options: s_coldTraced).Picoseconds.ShouldBe(7 * Microsecond);
    }

    [Fact]
    public void A_wait_is_for_the_last_signal_above_it()
    {
        // Each reduce waits for the matmul of its own iteration, each matmul but the first for the reduce of the one before.
        var plan = Plan([Weight("w", 1_000_000)],
            new Repeat(5, 0, 1, new PlanNode[] { Read("matmul", [Here("w")], ["reduce"], signals: true), AllReduce("reduce", 0, ["matmul"]) }));
        Simulate(plan, options: new SimulationOptions { ColdStart = true }).Picoseconds.ShouldBe(5 * 11 * Microsecond);
    }

    [Fact]
    public void A_wait_for_what_was_never_signalled_waits_for_nothing()
    {
        var plan = Plan([Weight("w", 1_000_000)], Read("matmul", [Of("w", 0)], ["nothing"]));
        Simulate(plan, options: s_coldTraced).Picoseconds.ShouldBe(1 * Microsecond);
    }

    [Fact]
    public void Each_event_of_another_stream_costs()
    {
        var device = PlainDevice(eventMicroseconds: 0.5);
        var plan = Plan([Value("x", 1)],
            AllReduce("reduce", 0), Run(StreamKind.Compute, "join", new JoinOperation(), [], ["reduce"], signals: true),
            Run(StreamKind.Compute, "again", new JoinOperation(), [], ["join"]));
        Simulate(plan, device: device).Picoseconds.ShouldBe(10_500_000);
    }

    [Fact]
    public void The_same_step_takes_the_same_time_in_any_company()
    {
        DeviceCatalogue.TryGet(Devices.H100, out var device).ShouldBeTrue();
        var executor = new Executor(new SimulatedBackend(device));
        var (plan, other) = (Llama(), Llama(prefetch: false));
        var once = Simulate(plan, 5000, device);
        foreach (var context in new[] { 1, 9000, 3 })
        {
            Run(plan, context);
            Run(other, context);
            Run(plan, 5000).ShouldBe(once);
        }

        StepRun Run(ExecutionPlan p, int context) => executor.RunAsync(p, context).AsTask().GetAwaiter().GetResult();
    }

    [Fact]
    public void Prefetch_under_collectives_pays_on_the_published_machine()
    {
        DeviceCatalogue.TryGet(Devices.Ascend910B2, out var device).ShouldBeTrue();
        Simulate(Llama(), 4096, device).Picoseconds.ShouldBeLessThan(Simulate(Llama(prefetch: false), 4096, device).Picoseconds);
    }

    [Fact]
    public void References_that_name_nothing_are_refused()
    {
        Should.Throw<ArgumentException>(() => Simulate(Plan([], Read("matmul", [Once("w")])))).Message.ShouldContain("'matmul' names the tensor 'w', which is not declared");
        Should.Throw<ArgumentException>(() => Simulate(Plan([Weight("w", 1)], Read("matmul", [Of("w", Layers)])))).Message.ShouldContain("not one of the 24");
        Should.Throw<ArgumentException>(() => Simulate(Plan([Weight("w", 1)], new Repeat(Layers, 0, 1, new PlanNode[] { Read("matmul", [Here("w", 1)]) }))));
    }

    [Fact]
    public async Task What_was_not_begun_is_not_run()
    {
        var backend = new SimulatedBackend(PlainDevice());
        var plan = Plan([Weight("w", 1)], Read("matmul", [Of("w", 0)]));
        Should.Throw<InvalidOperationException>(() => backend.Submit((Instruction)plan.Body[0], 0));
        backend.Begin(plan, 1);
        Should.Throw<InvalidOperationException>(() => backend.Submit(Read("other", [Of("w", 0)]), 0));
        await Should.ThrowAsync<InvalidOperationException>(async () => await backend.CompleteAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("a100-80-sxm", 31, "at most 30 MiB")]
    [InlineData("a100-80-sxm", -1, "at most 30 MiB")]
    [InlineData("ascend-910b2", 1, "not known to let a part of its L2 be set aside")]
    public void No_more_of_the_L2_is_set_aside_than_the_device_allows(string id, double mebibytes, string message)
    {
        DeviceCatalogue.TryGet(id, out var device).ShouldBeTrue();
        Should.Throw<ArgumentException>(() => new SimulatedBackend(device with { L2 = device.L2 with { SetAsideMebibytes = mebibytes } })).Message.ShouldContain(message);
        Should.NotThrow(() => new SimulatedBackend(device));
    }
}
