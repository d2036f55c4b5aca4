namespace Preserve.Execution.Tests;

/// <summary>How much faster a decode matmul is on the H100 when its weight was just read: measured (NVIDIA AIConfigurator, bf16) 1.2 times at
/// 10 MB, 1.4 to 1.75 at 30 to 37 MB, 0.95 to 1.2 at 42 MB, and no faster at 50. The shapes are those of the measurements.</summary>
public class ResidentMatMulTests
{
    // Single shapes were measured 1.16 to 1.45 times as fast at 10 MB; at 34 MB one of 16384 columns, which is not here, 1.62 to 2.05 times.
    [Theory]
    [InlineData(10, 1.1, 1.3, new[] { 2048, 2560, 2560, 2048, 1024, 5120 })]
    [InlineData(33, 1.4, 1.75, new[] { 10240, 1536, 4096, 4096 })]
    [InlineData(37, 1.4, 1.75, new[] { 2560, 7168, 5120, 3584, 7168, 2560 })]
    [InlineData(42, 0.95, 1.2, new[] { 8192, 2560, 5120, 4096, 2560, 8192 })]
    [InlineData(50, 0.95, 1.05, new[] { 16384, 1536, 6144, 4096, 3072, 8192 })]
    public void A_resident_weight_speeds_a_matmul_up_as_measured(int megabytes, double least, double most, int[] shapes)
    {
        DeviceCatalogue.TryGet(Devices.H100, out var device).ShouldBeTrue();
        for (var i = 0; i < shapes.Length; i += 2)
        {
            foreach (var rows in new[] { 1, 16, 64 })
            {
                var (columns, depth) = (shapes[i], shapes[i + 1]);
                (2.0 * columns * depth / 1e6).ShouldBe(megabytes, 2);
                SpeedUp(device, rows, columns, depth).ShouldBeInRange(least, most, $"{rows} x {depth} by {depth} x {columns}");
            }
        }
    }

    private static double SpeedUp(Device device, int rows, int columns, int depth)
    {
        var multiply = TestPlans.Run(StreamKind.Compute, "multiply", new MatMulOperation(rows, columns, depth, Precision.Bf16, Precision.Bf16),
            [TestPlans.Once("x"), TestPlans.Once("w")], writes: [TestPlans.Once("y")]);
        var plan = TestPlans.Plan(
            [TestPlans.Value("x", 2L * rows * depth), TestPlans.Value("y", 2L * rows * columns), TestPlans.Weight("w", 2L * columns * depth, perLayer: false)],
            multiply, multiply, multiply);
        var times = TestPlans.Simulate(plan, 1, device, new SimulationOptions { ColdStart = true, RecordTimeline = true })
            .Timeline.Select(r => (double)(r.EndPicoseconds - r.StartPicoseconds)).ToArray();
        return times[0] / times[2];
    }
}
