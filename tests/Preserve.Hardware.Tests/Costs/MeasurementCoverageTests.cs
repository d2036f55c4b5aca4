namespace Preserve.Hardware.Tests.Costs;

/// <summary>What of a plan was measured, and by which name it goes where it was not.</summary>
public class MeasurementCoverageTests
{
    private static readonly Operation MatMul = new MatMulOperation(8, 4096, 4096, Precision.Bf16, Precision.Bf16);

    private static readonly Operation Attention = new AttentionOperation(8, 1, 32, 8, 128, 8_192, SoftCap: false);

    /// <summary>Each operation on the H100, of whose kernels in bf16 all were measured, in fp8 the matmuls, and collectives over 2, 4 and 8 ranks.</summary>
    public static TheoryData<Operation, string?> Lacking => new()
    {
        { MatMul, null },
        { new MatMulOperation(8, 4096, 4096, Precision.Fp8, Precision.Fp8), null },
        { new MatMulOperation(8, 4096, 4096, Precision.Fp8, Precision.Bf16), "matmuls of bf16 by fp8" },
        { new MatMulOperation(8, 4096, 4096, Precision.Int8, Precision.Int8), "matmuls of int8 by int8" },
        { Attention, null },
        { new AttentionOperation(8, 1, 32, 8, 128, 8_192, SoftCap: false, Precision.Fp8), "decode attention over an fp8 cache" },
        { new AttentionOperation(8, 64, 32, 8, 128, 8_192, SoftCap: false, Precision.Int8), "prefill attention over an int8 cache" },
        { new CollectiveOperation(CollectiveKind.AllReduce, 1 << 20, 8), null },
        { new CollectiveOperation(CollectiveKind.AllReduce, 1 << 20, 16), "all-reduce over 16 ranks" },
        { new CollectiveOperation(CollectiveKind.AllReduce, 1 << 20, 8, Norm: new FusedNorm(Norm.Rms, 8, 4096, Adds: true)), "all-reduce over 8 ranks in one kernel with a norm" },
        { new CollectiveOperation(CollectiveKind.ReduceScatter, 1 << 20, 8, new MatMulOperation(8, 4096, 4096, Precision.Bf16, Precision.Bf16)), "reduce-scatter over 8 ranks in one kernel with a matmul" },
        { new TransferOperation(TransferDirection.HostToDevice, Pinned: true), "copies between host and device" },
        { new JoinOperation(), null },
    };

    [Theory]
    [MemberData(nameof(Lacking))]
    public void What_lacks_is_named_by_format_ranks_or_kind(Operation operation, string? name) =>
        MeasurementCoverage.Of(PlanOf(operation), CostLaws.For(DeviceOf("h100-sxm"))).Unmeasured.ShouldBe(name is null ? [] : [name]);

    [Fact]
    public void A_kind_may_be_measured_in_part()
    {
        var coverage = MeasurementCoverage.Of(
            PlanOf(MatMul, new MatMulOperation(8, 512, 512, Precision.Int8, Precision.Int8), new MatMulOperation(8, 64, 64, Precision.Int8, Precision.Int8), Attention), CostLaws.For(DeviceOf("h100-sxm")));
        coverage.Measured.ShouldBe([KernelKind.MatMul, KernelKind.Attention]);
        coverage.Unmeasured.ShouldBe(["matmuls of int8 by int8"]);
        coverage.Covers(KernelKind.MatMul).ShouldBeFalse();
        coverage.Covers(KernelKind.Attention).ShouldBeTrue();
    }

    /// <summary>A calibration whose rows had many tokens only.</summary>
    [Theory]
    [InlineData(8, "matmuls of bf16 by bf16 with few rows")]
    [InlineData(512, null)]
    public void Matmuls_lack_where_their_rows_were_not_measured(int rows, string? name)
    {
        var device = DeviceOf("h100-sxm");
        var calibration = device.Calibration!;
        var large = device with { Calibration = calibration with { MatMul = calibration.MatMul.Select(m => m with { Streaming = m.Streaming with { Band = null } }).ToArray() } };
        MeasurementCoverage.Of(PlanOf(new MatMulOperation(rows, 4096, 4096, Precision.Bf16, Precision.Bf16)), CostLaws.For(large)).Unmeasured.ShouldBe(name is null ? [] : [name]);
    }

    [Fact]
    public void Without_a_calibration_everything_lacks() =>
        MeasurementCoverage.Of(
            PlanOf(MatMul, new NormOperation(Norm.Rms, 8, 4096), new ElementwiseOperation(ElementwiseFunction.Store, 8, 4096), new ElementwiseOperation(ElementwiseFunction.SwiGlu, 8, 4096)),
            CostLaws.For(DeviceOf("mi300x"))).ShouldSatisfyAllConditions(
            c => c.Measured.ShouldBeEmpty(),
            c => c.Unmeasured.ShouldBe(["matmuls of bf16 by bf16", "norms", "rotation and storing of keys", "activation functions"]));

    private static ExecutionPlan PlanOf(params Operation[] operations) => new(
        "One", "one", 1, 1, new DecodeSpec(8, 16, Total: false), PrefetchPolicy.None, 0, 0, default,
        operations.Select(o => (PlanNode)new Instruction(StreamKind.Compute, "one", o, default, default, default, false)).ToArray());

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}
