namespace Preserve.Optimizer.Tests;

/// <summary>What a report says that prefetch under collectives can reach.</summary>
public class ReaderSavingTests
{
    private static Device H200 => DeviceCatalogue.TryGet(Devices.H200, out var device) ? device : throw new InvalidOperationException(Devices.H200);

    [Fact]
    public void Each_byte_saves_the_difference_of_its_readers_rates_until_the_readers_own_work_takes_longer()
    {
        // 4 bytes a picosecond from memory and 16 from the L2; then a reader that computes for half of the time that memory takes.
        var idle = Saving(1600, new OneKernelLaws(new KernelDemand(100, 4, 16)));
        idle.PicosecondsPerByte.ShouldBe((1 / 4.0) - (1 / 16.0), 1e-12);
        idle.Bytes.ShouldBe(1600, 1e-9);
        var busy = Saving(1600, new OneKernelLaws(new KernelDemand(100, 4, 16, Flops: 200, FlopsPerPicosecond: 1)));
        (busy.Bytes * busy.PicosecondsPerByte).ShouldBe(200, 1e-9);
        busy.PicosecondsPerByte.ShouldBe(idle.PicosecondsPerByte, 1e-12);
        Saving(1600, new OneKernelLaws(new KernelDemand(100, 4, 16, Flops: 400, FlopsPerPicosecond: 1))).Bytes.ShouldBe(0);
    }

    [Theory]
    [InlineData(1600, 400, 0, 0, 0)] // From memory the weight takes 400 picoseconds, no longer than the reader's work.
    [InlineData(1600, 400, 200, 0, 50)] // What is written goes to memory.
    [InlineData(1600, 400, 0, 200, 12.5)] // A value that was written just before is read from the L2.
    [InlineData(40_000_000, 20_000_000, 0, 60_000_000, 5_000_000)] // One that does not fit it is read from memory.
    [InlineData(1600, 0, 0, 60_000_000, 0)] // Of so much else the weight is nothing.
    public void What_else_a_reader_moves_is_part_of_its_memory_time(long weight, double work, long written, long values, double saved)
    {
        var saving = Saving(weight, new OneKernelLaws(new KernelDemand(0, 4, 16, Flops: work, FlopsPerPicosecond: 1)), values, written);
        (saving.Bytes * saving.PicosecondsPerByte).ShouldBe(saved, 1e-6);
    }

    [Fact]
    public void Where_there_are_more_bytes_than_time_those_count_that_save_most()
    {
        ReaderSaving[] readers = [new(100, 1), new(50, 3), new(1000, 2)];
        ReaderSaving.Most(readers, 40).ShouldBe(120);
        ReaderSaving.Most(readers, 150).ShouldBe(150 + 200);
        ReaderSaving.Most(readers, 5000).ShouldBe(150 + 2000 + 100);
    }

    [Theory]
    [InlineData(PrefetchPolicy.Paper)]
    [InlineData(PrefetchPolicy.Best)]
    public void Prefetches_that_run_beside_collectives_alone_gain_no_more_than_is_reachable(PrefetchPolicy policy)
    {
        // Kernels of the H200 that draw from memory at a fraction of its rate: each byte saves more there than at that rate.
        var deployment = Specs.Deploy(Specs.Llama3_8B, 8, Specs.Decode(64, 512), prefetch: policy, device: Devices.H200, fusion: CollectiveFusion.Norm);
        var report = Planner.Plan(deployment, H200).Steps[0].Report;
        if (policy == PrefetchPolicy.Paper)
            report.ElsewherePicoseconds.ShouldBe(0);
        report.ReachablePicoseconds.ShouldBeGreaterThanOrEqualTo(report.BasePicoseconds - report.StepPicoseconds);
    }

    /// <summary>What a matmul saves that reads a weight and a value and writes another.</summary>
    private static ReaderSaving Saving(long weight, ICostLaws laws, long values = 0, long written = 0) => ReaderSaving.Of(
        new GraphOperator("out", 0, new MatMulOperation(1, 4096, 4096, Precision.Bf16, Precision.Bf16))
        {
            Reads = [Tensor("attn", TensorRole.Value, values), Tensor("out_weight", TensorRole.Weight, weight)],
            Writes = [Tensor("x", TensorRole.Value, written)],
        },
        "out_weight",
        weight,
        laws,
        context: 0);

    private static GraphReference Tensor(string name, TensorRole role, long bytes) => new(new GraphTensor(name, role, perLayer: false, Precision.Bf16) { Units = bytes }, LayerIndex.None);

    /// <summary>Laws by which every kernel demands the same, on a device that gives more than any of the test's kernels draws.</summary>
    private sealed class OneKernelLaws(KernelDemand demand) : AdjustedCostLaws(CostLaws.For(H200))
    {
        public override double HbmBytesPerPicosecond => 100;

        public override double L2BytesPerPicosecond => 100;

        protected override KernelDemand Adjust(Operation operation, in KernelDemand demandThere) => demand;
    }
}
