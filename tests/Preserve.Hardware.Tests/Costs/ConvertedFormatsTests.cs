namespace Preserve.Hardware.Tests.Costs;

public class ConvertedFormatsTests
{
    [Theory]
    [InlineData("a100-80-sxm", Precision.Bf16, Precision.Bf16)]
    [InlineData("a100-80-sxm", Precision.Int8, Precision.Int8)]
    [InlineData("h100-sxm", Precision.Fp8, Precision.Fp8)]
    public void A_format_that_the_device_has_is_not_converted(string id, Precision weights, Precision activations) =>
        ConvertedFormats.Of(PlanOf(new MatMulOperation(4, 64, 64, weights, activations)), DeviceOf(id)).ShouldBeEmpty();

    [Theory]
    [InlineData("a100-80-sxm", Precision.Fp8, Precision.Fp8, "fp8 by fp8")]
    [InlineData("h100-sxm", Precision.Int4, Precision.Bf16, "bf16 by int4")]
    [InlineData("h100-sxm", Precision.Int8, Precision.Bf16, "bf16 by int8")]
    public void Each_other_one_is_named_once(string id, Precision weights, Precision activations, string formats)
    {
        var operation = new MatMulOperation(4, 64, 64, weights, activations);
        var fused = new CollectiveOperation(CollectiveKind.AllReduce, 512, 2) { MatMul = operation };
        ConvertedFormats.Of(PlanOf(operation, fused, operation), DeviceOf(id))
            .ShouldBe([$"matmuls of {formats} are computed in bf16 by {id}; converting is counted with nothing"]);
    }

    [Fact]
    public void A_cache_of_eight_bits_is_named() =>
        ConvertedFormats.Of(PlanOf(new AttentionOperation(1, 1, 8, 1, 128, 16, false, Precision.Fp8)), DeviceOf("h100-sxm"))
            .ShouldBe(["attention over a cache of fp8 is computed in bf16; converting is counted with nothing"]);

    private static ExecutionPlan PlanOf(params Operation[] operations) => new(
        "Formats", "any", 1, 1, new DecodeSpec(1, 16, Total: false), PrefetchPolicy.None, 0, 0, default,
        operations.Select((o, i) => (PlanNode)new Instruction(StreamKind.Compute, $"op{i}", o, default, default, default, false)).ToArray());

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}
