namespace Preserve.Execution.Tests;

public class BandedRunTests
{
    private static readonly MatMulOperation Measured = new(8, 8192, 8192, Precision.Bf16, Precision.Bf16);

    [Fact]
    public async Task A_kernel_alone_has_the_band_of_its_law()
    {
        var device = DeviceOf("h100-sxm");
        var operation = Measured;
        var plan = PlanOf(device, operation);
        var options = new SimulationOptions { ColdStart = true };
        var time = (await new Executor(new SimulatedBackend(device, options)).RunAsync(plan, 16)).Picoseconds;
        var run = await BandedRun.OfAsync(plan, 16, device, options);
        run.Run.Picoseconds.ShouldBe(time);
        var band = run.BandOf(r => r.Picoseconds).ShouldNotBeNull();
        var stated = CostLaws.For(device).Band(operation).ShouldNotBeNull();
        ((double)band.LowPicoseconds / time).ShouldBe(stated.Low, 0.01);
        ((double)band.HighPicoseconds / time).ShouldBe(stated.High, 0.01);
        run.Unmeasured.ShouldBeEmpty();
        run.MeasuredShare(r => r.Picoseconds).ShouldBe(1);
        // The step has no collective: there is nothing to be wrong about.
        run.BandOf(r => r.CollectiveExposedPicoseconds).ShouldBe(new TimeBand(0, 0));
    }

    /// <summary>A measured matmul and some in a format that was not, which take the same constants and half its bytes each. The fixed part of a time follows
    /// its kernel too.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(8, false)]
    public async Task A_time_has_a_band_where_the_larger_part_of_it_was_measured(int unmeasured, bool has)
    {
        var device = DeviceOf("h100-sxm");
        var lacking = Measured with { Weights = Precision.Fp8 };
        var options = new SimulationOptions { ColdStart = true, RecordTimeline = true };
        var run = await BandedRun.OfAsync(PlanOf(device, [Measured, .. Enumerable.Repeat(lacking, unmeasured)]), 16, device, options);
        run.Unmeasured.ShouldBe(["matmuls of bf16 by fp8"]);
        var first = run.Run.Timeline[0].Picoseconds;
        run.MeasuredShare(r => r.Picoseconds).ShouldBe((double)first / run.Run.Picoseconds, 0.001);
        run.BandOf(r => r.Picoseconds).HasValue.ShouldBe(has);
        // Of each kernel alone all was measured, or nothing.
        run.MeasuredShare(r => r.Timeline[0].Picoseconds).ShouldBe(1, 0.001);
        run.BandOf(r => r.Timeline[0].Picoseconds).ShouldNotBeNull();
        run.MeasuredShare(r => r.Timeline[1].Picoseconds).ShouldBe(0);
        run.BandOf(r => r.Timeline[1].Picoseconds).ShouldBeNull();
    }

    [Fact]
    public async Task Without_measurements_there_is_no_band()
    {
        var device = DeviceOf("ascend-910b2");
        var plan = new ExecutionPlan("None", device.Id, 1, 1, new DecodeSpec(1, 16, Total: false), PrefetchPolicy.None, 0, 0, default, default);
        var run = await BandedRun.OfAsync(plan, 16, device, new SimulationOptions());
        run.BandOf(r => r.Picoseconds).ShouldBeNull();
        run.MeasuredShare(r => r.Picoseconds).ShouldBe(0);
    }

    /// <summary>Matmuls one after the other, each with a weight of its own.</summary>
    private static ExecutionPlan PlanOf(Device device, params MatMulOperation[] matMuls) => new(
        "One", device.Id, 1, 1, new DecodeSpec(8, 16, Total: false), PrefetchPolicy.None, 0, 262_144,
        (TensorDeclaration[])
        [
            new("x", TensorRole.Value, false, Precision.Bf16, 131_072, 1, 0),
            .. matMuls.Select((m, i) => new TensorDeclaration($"w{i}", TensorRole.Weight, false, m.Weights, (long)m.Columns * m.Depth * m.Weights.Bits() / 8, 1, -1)),
            new("y", TensorRole.Value, false, Precision.Bf16, 131_072, 1, 131_072),
        ],
        (PlanNode[])
        [
            .. matMuls.Select((m, i) => new Instruction(
                StreamKind.Compute, "mul", m, new[] { new TensorReference("x", LayerIndex.None), new TensorReference($"w{i}", LayerIndex.None) },
                new[] { new TensorReference("y", LayerIndex.None) }, default, false)),
        ]);

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}
