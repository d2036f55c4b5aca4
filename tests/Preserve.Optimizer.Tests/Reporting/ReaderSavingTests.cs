namespace Preserve.Optimizer.Tests;

/// <summary>What a report says that prefetch under collectives can reach.</summary>
public class ReaderSavingTests
{
    private static readonly MatMulOperation _matMul = new(1, 4096, 4096, Precision.Bf16, Precision.Bf16);

    private static Device H200 => DeviceCatalogue.TryGet(Devices.H200, out var device) ? device : throw new InvalidOperationException(Devices.H200);

    [Fact]
    public void Each_byte_saves_the_difference_of_its_readers_rates_until_the_readers_own_work_takes_longer()
    {
        // 4 bytes a picosecond from memory and 16 from the L2; then a reader that computes for half of the time that memory takes.
        var idle = ReaderSaving.Of(_matMul, 1600, new OneKernelLaws(new KernelDemand(100, 4, 16)), 0);
        idle.PicosecondsPerByte.ShouldBe((1 / 4.0) - (1 / 16.0), 1e-12);
        idle.Bytes.ShouldBe(1600, 1e-9);
        var busy = ReaderSaving.Of(_matMul, 1600, new OneKernelLaws(new KernelDemand(100, 4, 16, Flops: 200, FlopsPerPicosecond: 1)), 0);
        (busy.Bytes * busy.PicosecondsPerByte).ShouldBe(200, 1e-9);
        busy.PicosecondsPerByte.ShouldBe(idle.PicosecondsPerByte, 1e-12);
        ReaderSaving.Of(_matMul, 1600, new OneKernelLaws(new KernelDemand(100, 4, 16, Flops: 400, FlopsPerPicosecond: 1)), 0).Bytes.ShouldBe(0);
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

    /// <summary>Laws by which every kernel demands the same, on a device that gives more than any of the test's kernels draws.</summary>
    private sealed class OneKernelLaws(KernelDemand demand) : AdjustedCostLaws(CostLaws.For(H200))
    {
        public override double HbmBytesPerPicosecond => 100;

        public override double L2BytesPerPicosecond => 100;

        protected override KernelDemand Adjust(Operation operation, in KernelDemand demandThere) => demand;
    }
}
