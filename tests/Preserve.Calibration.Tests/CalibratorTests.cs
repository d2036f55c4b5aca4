namespace Preserve.Calibration.Tests;

public class CalibratorTests
{
    private static readonly MeasurementSet s_nothing = new([], [], [], [], []);

    /// <summary>Rows that a law made are fitted by that law.</summary>
    [Fact]
    public void Constants_are_found_again()
    {
        var device = H100();
        var made = device.Calibration!.MatMul[0];
        var multiprocessors = device.Calibration.Multiprocessors;
        var rows = new List<MatMulRow>();
        foreach (var columns in new[] { 512, 1024, 2048, 4096, 6144, 8192, 12_288, 16_384 })
        {
            foreach (var depth in new[] { 512, 1024, 2048, 4096, 8192, 16_384 })
            {
                foreach (var m in new[] { 1, 16, 64, 512, 4096 })
                {
                    var shape = new MatMulShape(m, columns, depth, 16);
                    var small = RowChecks.RotatedWeights * 2.0 * columns * depth <= device.Residency.FullBytes;
                    var demand = m <= 64
                        ? StreamingMatMulLaw.Demand(shape, made.Streaming, multiprocessors, device.Compute.Bf16Teraflops)
                        : TiledMatMulLaw.Demand(shape, Precision.Bf16, made.Tiled, multiprocessors, made.Streaming.L2TerabytesPerSecond);
                    var hot = m <= 64 && small ? shape.Bytes : 0;
                    rows.Add(new MatMulRow(rows.Count + 3, "mine", Precision.Bf16, m, columns, depth, KernelTime.Picoseconds(demand, hot, shape.Bytes - hot) / 1e6, false));
                }
            }
        }
        var result = Calibrator.Calibrate(s_nothing with { MatMul = rows }, "mine", device, multiprocessors, "test");
        result.NotFitted.ShouldBeEmpty();
        var found = result.Calibration.MatMul.ShouldHaveSingleItem();
        found.Streaming.HbmTerabytesPerSecond.ShouldBe(made.Streaming.HbmTerabytesPerSecond, tolerance: 0.03);
        found.Tiled.Teraflops.ShouldBe(made.Tiled.Teraflops, tolerance: 10);
        var held = result.Figures.Where(f => f.Part == ValidatedPart.HeldOut && f.Kind is "decode matmul bf16" or "large matmul bf16").ToList();
        held.Count.ShouldBe(2);
        held.ShouldAllBe(f => f.Mape < 1 && f.Rows > 10);
        result.Calibration.Tables.ShouldBe([new CalibratedTable("gemm.csv", rows.Count, rows.Count(r => Split.IsHeldOut(MatMulFit.Shape(r))), 0)]);
    }

    [Fact]
    public void Too_few_rows_leave_a_kind_to_the_nominal_law()
    {
        var rows = new[] { new AttentionRow(2, "mine", true, "fa3", 8, 1023, 32, 8, 14.5) };
        var result = Calibrator.Calibrate(s_nothing with { Attention = rows }, "mine", H100() with { Calibration = null }, 132, "test");
        result.Calibration.Decode.ShouldBeNull();
        result.Calibration.MatMul.ShouldBeEmpty();
        result.NotFitted.ShouldBe(["decode attention has 1 rows to fit, but needs 12"]);
    }

    [Fact]
    public void A_system_without_rows_is_refused() =>
        Should.Throw<ArgumentException>(() => Calibrator.Calibrate(s_nothing with { Attention = [new(2, "theirs", true, "", 1, 1, 1, 1, 1)] }, "mine", H100(), 132, "test"))
            .Message.ShouldContain("no table has a row of 'mine'; there are theirs");

    [Fact]
    public void Impossible_rows_are_dropped_and_named()
    {
        var rows = Enumerable.Range(7, 11).Select(line => new MatMulRow(line, "mine", Precision.Bf16, 1, 8192, 8192, line == 7 ? 1 : 60, false)).ToList();
        var result = Calibrator.Calibrate(s_nothing with { MatMul = rows }, "mine", H100(), 132, "test");
        result.Dropped.ShouldHaveSingleItem().ToString().ShouldBe("gemm.csv:7: reading the weight at 134.218 TB/s, but the machine's peak is 3.35");
        result.Calibration.Tables.ShouldHaveSingleItem().Dropped.ShouldBe(1);
    }

    [Fact]
    public void Rows_of_another_machine_are_refused()
    {
        var rows = Enumerable.Range(7, 10).Select(line => new MatMulRow(line, "mine", Precision.Bf16, 1, 8192, 8192, line < 9 ? 1 : 60, false)).ToList();
        Should.Throw<CalibrationException>(() => Calibrator.Calibrate(s_nothing with { MatMul = rows }, "mine", H100(), 132, "test")).Message
            .ShouldStartWith("2 of 10 rows of 'mine' in gemm.csv cannot be of h100-sxm, more than 10 %; the first is gemm.csv:7: reading the weight at 134.218 TB/s");
    }

    /// <summary>Small weights in half a microsecond, as from a table in another unit: none reaches the fit.</summary>
    [Fact]
    public void Small_weights_that_cannot_be_do_not_enter_the_fit()
    {
        var rows = Enumerable.Range(0, 26).Select(i => new MatMulRow(i + 3, "mine", Precision.Bf16, 1, 2560, 2048 + (48 * i), 0.5, false)).ToList();
        rows.ShouldAllBe(r => Calibrator.WeightBytes(r) > Calibrator.LeastColdBytes && Calibrator.WeightBytes(r) < 17e6);
        Should.Throw<CalibrationException>(() => Calibrator.Calibrate(s_nothing with { MatMul = rows }, "mine", H100(), 132, "test")).Message.ShouldStartWith("26 of 26 rows of 'mine' in gemm.csv cannot be of h100-sxm");
    }

    [Fact]
    public void A_shape_is_held_out_with_all_its_rows()
    {
        Enumerable.Range(1, 4000).Count(n => Split.IsHeldOut($"matmul {n * 64} 4096")).ShouldBeInRange(900, 1100);
        var messages = Enumerable.Range(8, 20).Select(b => 1L << b).ToList();
        var held = Split.HeldOutMessages("all_reduce 8", messages);
        held.Count.ShouldBe(4);
        held.ShouldNotContain(messages[0]);
        held.ShouldNotContain(messages[^1]);
        held.ShouldAllBe(b => !held.Contains(b * 2));
    }

    private static Device H100() => DeviceCatalogue.TryGet("h100-sxm", out var device) ? device : throw new InvalidOperationException();
}
