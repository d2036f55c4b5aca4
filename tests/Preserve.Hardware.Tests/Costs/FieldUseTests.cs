namespace Preserve.Hardware.Tests.Costs;

public class FieldUseTests
{
    private static readonly MatMulOperation s_matMul = new(4, 8192, 8192, Precision.Bf16, Precision.Bf16);
    private static readonly CollectiveOperation s_allReduce = new(CollectiveKind.AllReduce, 65_536, 8);

    [Fact]
    public void What_is_fitted_stands_in_the_place_of_what_the_file_gives()
    {
        var h100 = DeviceOf("h100-sxm");
        FieldUse.Overridden(h100, [PlanOf(s_matMul)]).ShouldBe(
            ["kernels.matmul_fixed_microseconds", "kernels.matmul_hbm_terabytes_per_second", "kernels.matmul_bf16_teraflops", "l2.read_terabytes_per_second"]);
        FieldUse.Overridden(h100, [PlanOf(s_allReduce)]).ShouldContain("collectives.one_shot");
        // Those of 16 ranks were not measured, and what is looked up never is.
        FieldUse.Overridden(h100, [PlanOf(s_allReduce with { Ranks = 16 })]).ShouldBe(["l2.read_terabytes_per_second"]);
        FieldUse.Overridden(h100 with { L2 = h100.L2 with { ReadTerabytesPerSecond = 20 } }, [PlanOf(new PrefetchOperation())]).ShouldBeEmpty();
        FieldUse.Overridden(h100 with { Calibration = null }, [PlanOf(s_matMul, s_allReduce)]).ShouldBeEmpty();
    }

    [Fact]
    public void Marks_count_where_the_laws_read_what_they_are_of()
    {
        var h100 = DeviceOf("h100-sxm");
        Marks(h100, s_matMul).ShouldBe(["kernels.event_microseconds"]);
        Marks(h100, s_matMul, new PrefetchOperation()).ShouldBe(["kernels.prefetch_hbm_terabytes_per_second", "kernels.prefetch_fixed_microseconds", "kernels.event_microseconds"], ignoreOrder: true);
        var onPaper = h100 with { Calibration = null };
        Marks(onPaper, s_matMul).ShouldBe(["kernels.event_microseconds", "l2.read_terabytes_per_second"]);
        Marks(onPaper, new AttentionOperation(1, 1, 8, 1, 128, 16, false)).ShouldBe(
            ["kernels.attention_bf16_teraflops", "kernels.attention_fixed_microseconds", "kernels.event_microseconds", "l2.read_terabytes_per_second"]);
        // What an 8-bit matmul takes besides, and its rate; where the device computes it in bf16, it takes that of bf16.
        Marks(onPaper, s_matMul with { Weights = Precision.Int8, Activations = Precision.Int8 }).ShouldBe(
            ["kernels.matmul_8bit_share_of_peak", "kernels.event_microseconds", "kernels.quantize_fixed_microseconds", "l2.read_terabytes_per_second"]);
        Marks(onPaper, s_matMul with { Weights = Precision.Int8 }).ShouldBe(["kernels.event_microseconds", "l2.read_terabytes_per_second"]);
        Marks(onPaper, new TransferOperation(TransferDirection.HostToDevice, Pinned: true)).ShouldContain("host_link.duplex_share");
    }

    [Fact]
    public void What_no_law_reads_is_not_marked()
    {
        DeviceOf("ascend-910b2").DoubtfulFields.ShouldContain(n => n.Field == "l2.write_terabytes_per_second");
        Marks(DeviceOf("ascend-910b2"), s_matMul, s_allReduce).ShouldNotContain("l2.write_terabytes_per_second");
    }

    [Fact]
    public void A_section_is_read_where_a_field_of_it_is()
    {
        var h100 = DeviceOf("h100-sxm");
        FieldUse.IsRead("collectives", h100, [PlanOf(s_allReduce)]).ShouldBeFalse();
        FieldUse.IsRead("collectives", h100, [PlanOf(s_allReduce with { Ranks = 16 })]).ShouldBeTrue();
        FieldUse.IsRead("collectives", h100 with { Calibration = null }, [PlanOf(s_allReduce)]).ShouldBeTrue();
        FieldUse.IsRead("collectives", h100 with { Calibration = null }, [PlanOf(s_matMul)]).ShouldBeFalse();
    }

    private static string[] Marks(Device device, params Operation[] operations)
    {
        var marked = FieldUse.Marked(device, [PlanOf(operations)]);
        return [.. marked.AssumedFields.Concat(marked.DoubtfulFields).Select(n => n.Field)];
    }

    private static ExecutionPlan PlanOf(params Operation[] operations) => new(
        "Fields", "any", 1, 1, new DecodeSpec(1, 16, Total: false), PrefetchPolicy.None, 0, 0, default,
        operations.Select((o, i) => (PlanNode)new Instruction(StreamKind.Compute, $"op{i}", o, default, default, default, false)).ToArray());

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}
