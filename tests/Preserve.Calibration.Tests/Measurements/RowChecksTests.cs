namespace Preserve.Calibration.Tests.Measurements;

public class RowChecksTests
{
    private static readonly RowChecks s_h100 = new(DeviceCatalogue.TryGet("h100-sxm", out var device) ? device : throw new InvalidOperationException());

    [Fact]
    public void A_matmul_beyond_a_peak_cannot_be()
    {
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 8192, 8192, 8192, 1200, false)).ShouldBeNull();
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 8192, 8192, 8192, 1100, false)).ShouldBe("computing at 999.556 TFLOP/s, but the machine's peak is 989.4");
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 8192, 8192, 30, false)).ShouldBe("reading the weight at 4.474 TB/s, but the machine's peak is 3.35");
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 4096, 1024, 2, false)).ShouldBeNull("a small weight may be in the L2");
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 4096, 4096, 8, true)).ShouldBeNull("the weight is in the L2");
    }

    [Fact]
    public void Attention_beyond_a_peak_cannot_be()
    {
        s_h100.Check(new AttentionRow(1, "h100_sxm", true, "", 64, 8191, 32, 8, 800)).ShouldBeNull();
        s_h100.Check(new AttentionRow(1, "h100_sxm", true, "", 64, 8191, 32, 8, 200)).ShouldNotBeNull().ShouldStartWith("reading the cache at 10.");
        s_h100.Check(new AttentionRow(1, "h100_sxm", true, "", 64, 8191, 33, 8, 800)).ShouldBe("33 query heads do not share 8 KV heads");
    }

    [Fact]
    public void A_collective_beyond_the_link_cannot_be()
    {
        s_h100.Check(new CollectiveRow(1, "h100_sxm", "NCCL", LaunchMode.Graph, "all_reduce", 8, 1 << 29, 2111)).ShouldBeNull();
        s_h100.Check(new CollectiveRow(1, "h100_sxm", "NCCL", LaunchMode.Graph, "all_reduce", 8, 1 << 29, 1111)).ShouldBe("receiving at 0.483 TB/s, but the machine's peak is 0.45");
        s_h100.Check(new CollectiveRow(1, "b200_sxm", "vLLM_custom", LaunchMode.Eager, "all_reduce", 8, 1 << 18, 20)).ShouldNotBeNull().ShouldContain("outlier");
    }

    [Fact]
    public void A_layer_of_unknown_widths_is_not_used() =>
        s_h100.Check(new LayerRow(1, "h100_sxm", "My-70b", 1, 1, new double[10])).ShouldBe("the widths of 'My-70b' are not known");
}
