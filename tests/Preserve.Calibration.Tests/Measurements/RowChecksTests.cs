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

    /// <summary>Six copies of 15.7 MB are 94 MB, of which the L2 keeps 52 at most.</summary>
    [Fact]
    public void Of_rotated_weights_the_L2_keeps_one_capacity_in_all()
    {
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 2560, 3072, 1, false)).ShouldBe("reading the weight at 6.991 TB/s, but the machine's peak is 3.35");
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 2560, 3072, 2.08, false)).ShouldNotBeNull();
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 2560, 3072, 2.09, false)).ShouldBeNull("the rest may be in the L2");
    }

    [Fact]
    public void Nothing_is_faster_than_an_L2()
    {
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 512, 2048, 0.01, false)).ShouldBe("moving all bytes at 210.227 TB/s, but an L2 beside its memory gives at most 33.5");
        s_h100.Check(new MatMulRow(1, "h100_sxm", Precision.Bf16, 1, 4096, 4096, 1, true)).ShouldBe("moving all bytes at 33.571 TB/s, but an L2 beside its memory gives at most 33.5");
        s_h100.Check(new AttentionRow(1, "h100_sxm", true, "", 8, 1023, 32, 8, 1)).ShouldBe("moving all bytes at 33.686 TB/s, but an L2 beside its memory gives at most 33.5");
        s_h100.Check(new AttentionRow(1, "h100_sxm", true, "", 8, 1023, 32, 8, 1.1)).ShouldBeNull();
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

    /// <summary>Each operator of a layer is held against the memory and against the L2, and named.</summary>
    [Theory]
    [InlineData("input_layernorm", 4096, 4, "input_layernorm: reading and writing at 3.67 TB/s, but the machine's peak is 3.35")]
    [InlineData("post_attention_layernorm", 512, 0.01, "post_attention_layernorm: moving all bytes at 838.861 TB/s, but an L2 beside its memory gives at most 33.5")]
    [InlineData("attn_rope", 512, 0.01, "attn_rope: moving all bytes at 1677.722 TB/s, but an L2 beside its memory gives at most 33.5")]
    [InlineData("mlp_act", 512, 0.01, "mlp_act: moving all bytes at 3381.658 TB/s, but an L2 beside its memory gives at most 33.5")]
    [InlineData("add", 512, 0.01, "add: moving all bytes at 1258.291 TB/s, but an L2 beside its memory gives at most 33.5")]
    [InlineData("mlp_down_proj", 1, 10, "mlp_down_proj: reading the weight at 9.018 TB/s, but the machine's peak is 3.35")]
    public void An_operator_of_a_layer_beyond_a_peak_cannot_be(string column, int tokens, double microseconds, string reason)
    {
        var times = Enumerable.Repeat(2000.0, LayerTable.Operators.Count).ToArray();
        s_h100.Check(new LayerRow(1, "h100_sxm", "Llama-2-7b-hf", 1, tokens, times)).ShouldBeNull();
        times[LayerTable.Operators.ToList().IndexOf(column)] = microseconds;
        s_h100.Check(new LayerRow(1, "h100_sxm", "Llama-2-7b-hf", 1, tokens, times)).ShouldBe(reason);
    }

    [Fact]
    public void A_layer_of_unknown_widths_is_not_used() =>
        s_h100.Check(new LayerRow(1, "h100_sxm", "My-70b", 1, 1, new double[10])).ShouldBe("the widths of 'My-70b' are not known");
}
