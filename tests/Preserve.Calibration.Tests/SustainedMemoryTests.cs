namespace Preserve.Calibration.Tests;

public class SustainedMemoryTests
{
    private static readonly MeasurementSet s_nothing = new([], [], [], [], []);

    private static readonly Device s_h100 = DeviceCatalogue.TryGet("h100-sxm", out var device)
        ? device with { Hbm = device.Hbm with { SustainedGigabytesPerSecond = 2000 }, Calibration = null }
        : throw new InvalidOperationException();

    /// <summary>A weight of 536.9 MB in 182 us, of which the launch is 5: 3.033 TB/s. The one of 134 MB seems faster, but a launch of 5 us is too large a
    /// part of its 45 to tell.</summary>
    [Fact]
    public void Memory_sustains_what_it_gave_beyond_the_launch()
    {
        var (memory, source) = Of(Row(3, 512, 2), Row(4, 8192, 45), Row(5, 16_384, 182)).ShouldNotBeNull();
        memory.ShouldBe(s_h100.Hbm with { SustainedGigabytesPerSecond = 3121 });
        source.Field.ShouldBe("hbm.sustained_gigabytes_per_second");
        source.Note.ShouldContain("gemm.csv, line 4");

        Of(Row(3, 512, 5), Row(4, 8192, 45), Row(5, 16_384, 182)).ShouldNotBeNull().Memory.SustainedGigabytesPerSecond.ShouldBe(3033);
    }

    [Fact]
    public void What_the_file_says_stays_where_no_row_shows_more() => Of(Row(3, 512, 2), Row(5, 16_384, 300)).ShouldBeNull();

    [Fact]
    public void No_row_says_nothing() => Of().ShouldBeNull();

    private static (HbmMemory Memory, FieldNote Source)? Of(params MatMulRow[] rows) => SustainedMemory.Of(SystemRows.Of(s_nothing with { MatMul = rows }, "mine", s_h100), "mine", s_h100);

    private static MatMulRow Row(int line, int width, double microseconds) => new(line, "mine", Precision.Bf16, 1, width, width, microseconds, Hot: false);
}
