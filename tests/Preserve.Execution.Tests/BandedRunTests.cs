namespace Preserve.Execution.Tests;

public class BandedRunTests
{
    [Fact]
    public async Task A_kernel_alone_has_the_band_of_its_law()
    {
        var device = DeviceOf("h100-sxm");
        var operation = new MatMulOperation(8, 8192, 8192, Precision.Bf16, Precision.Bf16);
        var plan = new ExecutionPlan("One", device.Id, 1, 1, new DecodeSpec(8, 16, Total: false), PrefetchPolicy.None, 0, 262_144,
            new TensorDeclaration[]
            {
                new("x", TensorRole.Value, false, Precision.Bf16, 131_072, 1, 0), new("w", TensorRole.Weight, false, Precision.Bf16, 134_217_728, 1, -1),
                new("y", TensorRole.Value, false, Precision.Bf16, 131_072, 1, 131_072),
            },
            new PlanNode[]
            {
                new Instruction(StreamKind.Compute, "mul", operation, new[] { new TensorReference("x", LayerIndex.None), new TensorReference("w", LayerIndex.None) },
                    new[] { new TensorReference("y", LayerIndex.None) }, default, false),
            });
        var options = new SimulationOptions { ColdStart = true };
        var time = (await new Executor(new SimulatedBackend(device, options)).RunAsync(plan, 16)).Picoseconds;
        var run = await BandedRun.OfAsync(plan, 16, device, options);
        run.Run.Picoseconds.ShouldBe(time);
        var band = run.BandOf(r => r.Picoseconds).ShouldNotBeNull();
        var stated = CostLaws.For(device).Band(operation).ShouldNotBeNull();
        ((double)band.LowPicoseconds / time).ShouldBe(stated.Low, 0.01);
        ((double)band.HighPicoseconds / time).ShouldBe(stated.High, 0.01);
        run.Unmeasured.ShouldBeEmpty();
        // The step has no collective: there is nothing to be wrong about.
        run.BandOf(r => r.CollectiveExposedPicoseconds).ShouldBe(new TimeBand(0, 0));
    }

    [Fact]
    public async Task Without_measurements_there_is_no_band()
    {
        var device = DeviceOf("ascend-910b2");
        var plan = new ExecutionPlan("None", device.Id, 1, 1, new DecodeSpec(1, 16, Total: false), PrefetchPolicy.None, 0, 0, default, default);
        (await BandedRun.OfAsync(plan, 16, device, new SimulationOptions())).BandOf(r => r.Picoseconds).ShouldBeNull();
    }

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}
