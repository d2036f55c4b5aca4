namespace Preserve.Cpu.Tests;

public class ThisCpuTests
{
    private static readonly ProcessorRates s_rates = new(
        CacheBytes: 32 << 20, CapacityGigabytes: 25.28, Memory: 22.8, Cached: 36, Copy: 12.5, Teraflops: 0.0246, MatMulMicroseconds: 1.8, SmallMicroseconds: 8.25, HandOverMicroseconds: 13);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Each_rank_is_a_device_with_its_part_of_the_machine(int ranks)
    {
        var device = Device(ThisCpu.TextOf(s_rates, ranks));
        device.Id.ShouldBe(ThisCpu.Id);
        device.Hbm.SustainedGigabytesPerSecond.ShouldBe(22.8 / ranks, 0.001);
        device.Hbm.CapacityGigabytes.ShouldBe(25.28 / ranks, 0.01);
        device.L2.ReadTerabytesPerSecond!.Value.ShouldBe(0.036 / ranks, 0.00001);
        device.L2.CapacityMebibytes!.Value.ShouldBe(32.0 / ranks, 0.01);
        // What a thread waits for another does not depend on how many share the machine.
        device.Kernels.EventMicroseconds.ShouldBe(13);
    }

    [Fact]
    public void More_ranks_than_the_machine_can_be_divided_over_are_refused_by_the_rate_that_is_missing()
    {
        Should.Throw<InvalidOperationException>(() => ThisCpu.TextOf(s_rates, 16)).Message
            .ShouldBe("one of 16 ranks on this machine, as it was measured, cannot be a device: hbm.nominal_gigabytes_per_second is 1.425, but must be from 4 to 50000 (in 10^9 bytes per second, not bits)");
        Should.Throw<ArgumentOutOfRangeException>(() => ThisCpu.Measure(0)).ParamName.ShouldBe("ranks");
    }

    /// <summary>Rates of a machine whose memory brings more bytes than its matmul computes operations, and of one that has more memory than is read in 15 seconds.</summary>
    [Theory]
    [InlineData(34.9, 0.0314, 25.28)]
    [InlineData(34.9, 0.0614, 1024)]
    public void What_was_measured_is_a_device_however_it_is_balanced(double memory, double teraflops, double capacity)
    {
        var device = Device(ThisCpu.TextOf(s_rates with { Memory = memory, Teraflops = teraflops, CapacityGigabytes = capacity }, 2));
        device.Hbm.SustainedGigabytesPerSecond.ShouldBe(memory / 2, 0.001);
        device.Compute.Bf16Teraflops.ShouldBe(teraflops / 2, 0.00001);
    }

    /// <summary>A weight in the cache is read no slower than one in memory, however busy the machine was.</summary>
    [Fact]
    public void The_cache_is_no_slower_than_memory() =>
        Device(ThisCpu.TextOf(s_rates with { Cached = 5 }, 1)).L2.ReadTerabytesPerSecond.ShouldBe(0.0228);

    /// <summary>Copies pass through memory.</summary>
    [Fact]
    public void A_copy_is_no_faster_than_memory() =>
        Device(ThisCpu.TextOf(s_rates with { Memory = 10.44, Copy = 11.47 }, 1)).ScaleUp.GigabytesPerSecondPerDirection.ShouldBe(10.44);

    /// <summary>A rate stands in gigabytes and in terabytes, and of every eighth one the two were different numbers.</summary>
    [Fact]
    public void Any_rate_of_four_digits_is_one_of_a_device()
    {
        for (var rate = 12.5; rate < 120; rate += 0.01)
        {
            var device = Device(ThisCpu.TextOf(s_rates with { Memory = rate, Cached = rate }, 1));
            device.Hbm.SustainedGigabytesPerSecond.ShouldBe(rate, 0.051);
        }
    }

    /// <summary>The example's file is what is written today of the rates that it holds, those of one of two ranks.</summary>
    [Fact]
    public void The_examples_device_file_is_as_it_is_written_today()
    {
        using var file = new StreamReader(typeof(ThisCpuTests).Assembly.GetManifestResourceStream("this-cpu.device.json")!);
        var text = file.ReadToEnd();
        var device = Device(text);
        var kernels = device.Kernels;
        var rates = new ProcessorRates(
            CacheBytes: (long)(2 * device.L2.CapacityMebibytes!.Value) << 20, CapacityGigabytes: 2 * device.Hbm.CapacityGigabytes, Memory: 2 * device.Hbm.SustainedGigabytesPerSecond,
            Cached: 2000 * device.L2.ReadTerabytesPerSecond!.Value, Copy: 2 * device.ScaleUp.GigabytesPerSecondPerDirection, Teraflops: 2 * kernels.MatMulBf16Teraflops,
            MatMulMicroseconds: kernels.MatMulFixedMicroseconds, SmallMicroseconds: kernels.SmallOperatorFixedMicroseconds, HandOverMicroseconds: kernels.EventMicroseconds);
        ThisCpu.TextOf(rates, 2).ShouldBe(text.TrimEnd());
    }

    /// <summary>Whatever else runs here, each of them takes some time and not none.</summary>
    [Fact]
    public void The_machine_is_measured()
    {
        var rates = ProcessorRates.Measure();
        double[] all =
        [
            rates.CacheBytes, rates.CapacityGigabytes, rates.Memory, rates.Cached, rates.Copy, rates.Teraflops, rates.MatMulMicroseconds, rates.SmallMicroseconds, rates.HandOverMicroseconds,
        ];
        all.ShouldAllBe(r => r > 0 && double.IsFinite(r), $"{rates}");
    }

    private static Device Device(string text) => DeviceFile.Parse(text).Device ?? throw new InvalidOperationException(DeviceFile.Parse(text).Errors[0].Message);
}
