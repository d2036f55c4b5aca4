namespace Preserve.Execution.Tests;

public class ResidencyCheckTests
{
    /// <summary>Measured on an L2 of 128 MB: a weight of 50 MB takes 28.8 us cold, 11 us resident, and 17.3 us with a third of it evicted. By
    /// residency that is linear in the bytes, two thirds at the L2's rate and one at the memory's: 7.3 + 9.6 = 16.9 us.</summary>
    [Fact]
    public void A_weight_of_which_a_third_was_evicted_takes_two_thirds_of_it_from_the_L2()
    {
        var device = DeviceFile.Parse("""
            {
              "preserve_device": 1,
              "id": "check",
              "compute": { "bf16_teraflops": 4000 },
              "hbm": { "capacity_gigabytes": 96, "nominal_gigabytes_per_second": 1737, "sustained_gigabytes_per_second": 1736 },
              "l2": { "capacity_mebibytes": 128, "usable_mebibytes": 128, "read_terabytes_per_second": 4.545 },
              "scale_up": { "kind": "PCIe 5.0 x16", "gigabytes_per_second_per_direction": 64 },
              "kernels": { "matmul_fixed_microseconds": 0, "matmul_hbm_terabytes_per_second": 1.736, "matmul_bf16_teraflops": 3999 }
            }
            """).Device.ShouldNotBeNull();
        // 134.2 MB less 50 MB are left beside the weight; 100.9 MB push 16.7 MB of it out.
        var plan = new ExecutionPlan("Check", device.Id, 1, 1, new DecodeSpec(1, 16, Total: false), PrefetchPolicy.None, 0, 256,
            new TensorDeclaration[]
            {
                new("x", TensorRole.Value, false, Precision.Bf16, 2, 1, 0), new("w", TensorRole.Weight, false, Precision.Bf16, 50_000_000, 1, -1),
                new("v", TensorRole.Weight, false, Precision.Bf16, 100_900_000, 1, -1),
            },
            new PlanNode[] { Read("cold", "w"), Read("resident", "w"), Read("between", "v"), Read("evicted", "w") });
        var run = TestPlans.Simulate(plan, 16, device, new SimulationOptions { ColdStart = true, RecordTimeline = true });
        Microseconds("cold").ShouldBe(28.8, 0.1);
        Microseconds("resident").ShouldBe(11.0, 0.1);
        Microseconds("evicted").ShouldBe(16.9, 0.1);

        double Microseconds(string label) => run.Timeline.Where(r => r.Label == label).Select(r => (r.EndPicoseconds - r.StartPicoseconds) / 1e6).ShouldHaveSingleItem();

        static Instruction Read(string label, string weight) => new(
            StreamKind.Compute, label, new MatMulOperation(1, 1, 1, Precision.Bf16, Precision.Bf16), new[] { new TensorReference(weight, LayerIndex.None) }, default, default, false);
    }
}
