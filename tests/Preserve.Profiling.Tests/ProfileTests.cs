using Preserve.Optimizer;

namespace Preserve.Profiling.Tests;

public class ProfileTests
{
    private static readonly RecomputeShape _shape = new(2, 64, 32);
    private static readonly DateTimeOffset _time = new(2026, 1, 31, 13, 0, 0, TimeSpan.FromHours(1));

    [Fact]
    public void Quartiles_are_interpolated_between_ranks()
    {
        Timing.Of([4, 1, 3, 2]).ShouldBe(new Timing(2.5, 1.75, 3.25, 4));
        Timing.Of([7]).ShouldBe(new Timing(7, 7, 7, 1));
    }

    [Fact]
    public void A_line_is_not_bent_by_a_bad_point()
    {
        var line = LineFit.Of([(1, 12), (2, 14), (3, 16), (4, 500), (5, 20)]);
        line.Slope.ShouldBe(2);
        line.Intercept.ShouldBe(10);
        Should.Throw<ArgumentException>(() => LineFit.Of([(1, 1), (1, 2)]));
    }

    [Fact]
    public void Of_a_model_the_lines_are_the_devices_constants_and_the_split_is_that_of_its_laws()
    {
        DeviceCatalogue.TryGet(Devices.H100, out var device).ShouldBeTrue();
        var laws = CostLaws.For(device);
        var profile = SplitProfile.Measure(new ModelledProfiler(laws), ProfileSizes.Of(new(32, 5120, 5120), [64, 128, 256, 512, 1024]), _time);
        profile.Measured.ShouldBe("2026-01-31T12:00:00Z");
        var (fixedTime, rate) = profile.LineOf(new CopyKind(TransferDirection.HostToDevice, Pinned: true, BothDirections: false));
        fixedTime.ShouldBe(device.HostTransfer.PinnedLatencyMicroseconds, 0.001);
        rate.ShouldBe(device.HostTransfer.PinnedGigabytesPerSecond, 0.001);
        var both = profile.LineOf(new CopyKind(TransferDirection.HostToDevice, Pinned: true, BothDirections: true));
        both.GigabytesPerSecond.ShouldBeLessThan(rate);

        var modelled = Solve(new ModelledRates(laws, Precision.Bf16, Precision.Bf16));
        var measured = Solve(profile.Rates);
        measured.Tokens.ShouldBeGreaterThan(0);
        // Of five points a line through a law with steps is made.
        measured.Tokens.ShouldBeInRange(modelled.Tokens - 32, modelled.Tokens + 32);

        static KvSplitChoice Solve(ISplitRates rates) => new KvSplitSolver(new KvSplitProblem(
            32, 5120, 5120, 2, 2, rates.Copy(TransferDirection.HostToDevice).BytesPerSecond, rates.Recompute(32, 5120, 5120, 16, 1024), 1024)
        {
            Tile = 16,
        }).Solve(KvSplitForm.Sequential, 1024);
    }

    [Fact]
    public void A_device_with_the_link_of_a_profile_copies_as_the_profiled_one_did()
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var timed).ShouldBeTrue();
        DeviceCatalogue.TryGet(Devices.H100, out var other).ShouldBeTrue();
        var profile = SplitProfile.Measure(new ModelledProfiler(CostLaws.For(timed)), ProfileSizes.Of(new(32, 5120, 5120), [64, 256, 1024]), _time);
        var link = profile.LinkOf(other.HostLink);
        (other with { HostLink = link }).HostTransfer.ShouldBe(timed.HostTransfer with { HostMemoryGigabytesPerSecond = other.HostLink.HostMemoryGigabytesPerSecond });
        (link.Kind, link.NominalGigabytesPerSecond, link.CopyEngines).ShouldBe((other.HostLink.Kind, other.HostLink.NominalGigabytesPerSecond, other.HostLink.CopyEngines));
    }

    [Fact]
    public void Large_matmuls_tell_the_rate_of_the_device_that_was_timed_and_small_ones_none()
    {
        DeviceCatalogue.TryGet(Devices.L40S, out var timed).ShouldBeTrue();
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var other).ShouldBeTrue();
        var profiler = new ModelledProfiler(CostLaws.For(timed));
        var large = SplitProfile.Measure(profiler, ProfileSizes.Of(new(32, 5120, 5120), [2, 64, 256, 1024]), _time);
        // That of 64 rows reads and writes for longer than it computes.
        large.MatMulTeraflopsOn(other)!.Value.ShouldBe(timed.Kernels.MatMulBf16Teraflops, timed.Kernels.MatMulBf16Teraflops / 1000);
        SplitProfile.Measure(profiler, ProfileSizes.Of(new(1, 5120, 5120), [16, 32, 64, 1024]), _time).MatMulTeraflopsOn(other).ShouldBeNull();
        var alike = large with { MatMuls = [.. large.MatMuls.Select(m => m with { Time = new Timing(5, 4, 6, 3) })] };
        Should.Throw<InvalidOperationException>(() => { alike.MatMulTeraflopsOn(other); }).Message.ShouldBe("the profile's matmuls take no longer when they are larger: measure larger ones");
    }

    [Fact]
    public void This_machine_is_timed_and_its_file_read_back()
    {
        var sizes = ProfileSizes.Of(_shape, [1, 8, 64]);
        var profile = SplitProfile.Measure(new MachineProfiler(repetitions: 3, warmUp: 1, bufferBytes: 1 << 20), sizes, _time);
        profile.Source.Kind.ShouldBe("machine");
        profile.Source.Processors.ShouldBe(Environment.ProcessorCount);
        profile.Copies.Count.ShouldBe(8 * sizes.CopyBytes.Count);
        profile.MatMuls.Select(m => (m.Tokens, m.UnderTransfer)).ShouldBe([(1, false), (1, true), (8, false), (8, true), (64, false), (64, true)]);
        profile.Copies.ShouldAllBe(c => c.Time.Repetitions == 3 && c.Time.MedianMicroseconds > 0 && c.Time.LowMicroseconds <= c.Time.HighMicroseconds);
        profile.MatMuls.ShouldAllBe(m => m.Teraflops > 0);

        var text = ProfileFile.Write(profile);
        ProfileFile.Write(ProfileFile.Read(text)).ShouldBe(text);
        var recompute = (SampledTime)profile.Rates.Recompute(2, 64, 32, 8, 64);
        recompute.Picoseconds.Count.ShouldBe(9);
    }

    [Fact]
    public void The_matmul_that_is_timed_is_a_matmul()
    {
        // Whole numbers: sums in any order are exact.
        var (rows, columns, depth) = (5, 19, 37);
        var activations = Enumerable.Range(0, rows * depth).Select(i => (float)(i % 7)).ToArray();
        var weights = Enumerable.Range(0, columns * depth).Select(i => (float)(i % 5)).ToArray();
        var results = new float[rows * columns];
        MachineProfiler.Multiply(activations, weights, results, rows, columns, depth);
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
                results[(r * columns) + c].ShouldBe(Enumerable.Range(0, depth).Sum(k => activations[(r * depth) + k] * weights[(c * depth) + k]));
        }
    }

    [Fact]
    public void Between_measured_tokens_times_are_on_the_lines_through_them()
    {
        (double, double)[] points = [(10, 100), (20, 300), (40, 400)];
        MeasuredRates.At(points, 15).ShouldBe(200);
        MeasuredRates.At(points, 30).ShouldBe(350);
        MeasuredRates.At(points, 60).ShouldBe(500);
        MeasuredRates.At(points, 1).ShouldBe(0);
    }

    [Fact]
    public void What_was_not_measured_is_named()
    {
        var profile = Sample();
        Should.Throw<ArgumentException>(() => profile.Rates.Recompute(3, 64, 32, 1, 8)).Message.ShouldBe(
            "the profile has matmuls (b l x 64)(64 x 64) at batch 3 of 0 numbers of tokens under transfer, but two or more are needed; it has (b l x 64)(64 x 64) at batch 2");
        Should.Throw<InvalidOperationException>(() => { (profile with { Copies = [] }).Rates.Copy(TransferDirection.HostToDevice); }).Message.ShouldBe(
            "the profile has copies to the device from pinned memory of 0 sizes, but a line needs two or more");
    }

    [Fact]
    public void Of_tokens_that_were_timed_twice_the_median_counts()
    {
        var profile = Sample();
        var twice = profile with { MatMuls = [profile.MatMuls[0], profile.MatMuls[0] with { Time = new Timing(7, 7, 7, 3) }] };
        Should.Throw<ArgumentException>(() => twice.Rates.Recompute(2, 64, 32, 8, 16)).Message.ShouldContain("of 1 numbers of tokens under transfer, but two or more are needed");
        var more = twice with { MatMuls = [.. twice.MatMuls, profile.MatMuls[0] with { Tokens = 16, Time = new Timing(10, 10, 10, 3) }] };
        ((SampledTime)more.Rates.Recompute(2, 64, 32, 8, 16)).Picoseconds.ShouldBe([0, 6_000_000, 10_000_000]);
    }

    [Fact]
    public void A_line_misses_copies_that_it_is_off_by_more_than_they_spread()
    {
        // Below 3,000 bytes at 1 byte a nanosecond, above at a quarter of that.
        var kind = ProfileSizes.CopyKinds[0];
        CopyTiming[] copies = [.. new[] { (1000, 1.0), (2000, 2.0), (4000, 6.0), (6000, 14.0), (8000, 22.0), (10_000, 30.0) }
            .Select(c => new CopyTiming(kind, c.Item1, new Timing(c.Item2, c.Item2 * 0.9, c.Item2 * 1.1, 3)))];
        var line = (Sample() with { Copies = copies }).LineOf(kind);
        copies.Where(line.Misses).Select(c => c.Bytes).ShouldContain(1000);
        copies.ShouldAllBe(c => line.Misses(c) == Math.Abs(line.Microseconds(c.Bytes) - c.Time.MedianMicroseconds) > c.Time.MedianMicroseconds * 0.2);

        copies = [.. copies.TakeLast(4)];
        line = (Sample() with { Copies = copies }).LineOf(kind);
        line.GigabytesPerSecond.ShouldBe(0.25, 1e-9);
        // It begins below 0, and what is said begins at 0: 6,000 bytes take 24 then, and not 14.
        line.FixedMicroseconds.ShouldBe(0);
        line.Error(copies[1]).ShouldBe(10.0 / 14, 1e-9);
    }

    [Fact]
    public void A_kind_of_copy_is_said_in_words()
    {
        new CopyKind(TransferDirection.HostToDevice, Pinned: true, BothDirections: false).ToString().ShouldBe("to the device from pinned memory");
        new CopyKind(TransferDirection.DeviceToHost, Pinned: false, BothDirections: true).ToString().ShouldBe("to the host into pageable memory, with as much in the other direction");
    }

    [Fact]
    public void A_matmul_of_more_rows_than_can_be_counted_is_refused()
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var device).ShouldBeTrue();
        Should.Throw<ArgumentException>(() => new ModelledProfiler(CostLaws.For(device)).MatMul(new(65_536, 64, 32), 32_768, false)).Message.ShouldBe(
            "65,536 sequences of 32,768 tokens are 2,147,483,648 rows of a matmul, but must be at most 2,147,483,647");
        new RecomputeShape(65_536, 64, 32).Rows(32_767).ShouldBe(2_147_418_112);
    }

    [Theory]
    [InlineData("preserve profile 1", "preserve profile 2", "the profile's format is 'preserve profile 2', but must be 'preserve profile 1'")]
    [InlineData("\"bytes\": 100", "\"bytes\": 0", "bytes of copies[0] is 0, but must be 1 or more")]
    [InlineData("\"tokens\": 8", "\"tokens\": -8", "tokens of matMuls[0] is -8, but must be 1 or more")]
    [InlineData("\"medianMicroseconds\": 5", "\"medianMicroseconds\": 0", "medianMicroseconds of copies[0] is 0, but must be a number above 0")]
    [InlineData("\"medianMicroseconds\": 5", "\"medianMicroseconds\": 1e999", "medianMicroseconds of copies[0] is Infinity, but must be a number above 0")]
    [InlineData("\"medianMicroseconds\": 5", "\"medianMicroseconds\": 9", "the median of copies[0] is 9, outside of 4 to 6")]
    [InlineData("\"medianMicroseconds\": 5,", "", "the profile is not sound at $.copies[0].time, line ")]
    [InlineData("\"repetitions\": 3", "\"repetitions\": -3", "repetitions of copies[0] is -3, but must be 1 or more")]
    [InlineData("\"HostToDevice\"", "7", "direction of copies[0] is 7, but must be HostToDevice or DeviceToHost")]
    [InlineData("\"tokens\": 8", "\"tokens\": 2000000000", "matMuls[0]: 2 sequences of 2,000,000,000 tokens are 4,000,000,000 rows of a matmul, but must be at most 2,147,483,647")]
    [InlineData("\"2026-01-31T12:00:00Z\"", "\"noon\"", "measured is 'noon', but must be a time in UTC, such as 2026-01-31T12:00:00Z")]
    [InlineData("\"machine\"", "\"phone\"", "kind of source is 'phone', but must be 'model' or 'machine'")]
    [InlineData("\"processors\": 2", "\"processors\": -2", "processors of source is -2, but must be 0 or more")]
    [InlineData("\"copies\": [", "\"copies\": [ null,", "copies[0] is null, but must be a copy")]
    [InlineData("\"matMuls\": [", "\"matMuls\": [ null,", "matMuls[0] is null, but must be a matmul")]
    [InlineData("\"copies\"", "\"copy\"", "the profile is not sound at $, line ")]
    public void A_file_that_is_not_a_profile_is_refused(string part, string by, string message)
    {
        var text = ProfileFile.Write(Sample());
        var at = text.IndexOf(part, StringComparison.Ordinal);
        at.ShouldBeGreaterThan(0);
        Should.Throw<FormatException>(() => ProfileFile.Read(text[..at] + by + text[(at + part.Length)..])).Message.ShouldStartWith(message);
    }

    private static SplitProfile Sample() => new(
        new ProfileSource("machine", "Processor", 2, "runtime", "note"), "2026-01-31T12:00:00Z",
        [new(ProfileSizes.CopyKinds[0], 100, new Timing(5, 4, 6, 3))],
        [new(_shape, 8, true, new Timing(5, 4, 6, 3))]);
}
