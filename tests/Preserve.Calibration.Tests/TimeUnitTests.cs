using Preserve.Tests;

namespace Preserve.Calibration.Tests;

/// <summary>Times in another unit than microseconds are refused.</summary>
public class TimeUnitTests
{
    private static readonly MeasurementSet s_nothing = new([], [], [], [], []);

    private static readonly Device s_h100 = DeviceOf("h100-sxm");

    /// <summary>Each table by itself: the best of its large rows is far from every peak, whichever kind of rows it has.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(1000)]
    public void Rows_that_take_too_long_are_refused(double factor)
    {
        foreach (var (table, rows) in LawfulTables())
        {
            var message = Should.Throw<CalibrationException>(() => Calibrate(Scaled(rows, factor)), table).Message;
            message.ShouldStartWith($"no large row of 'mine' in {table} reaches more than ");
            message.ShouldEndWith(": is its column us in microseconds?");
        }
    }

    [Fact]
    public void The_share_of_the_peak_is_told_with_the_row_that_has_it()
    {
        // 537 MB take 160.3 us at 3.35 TB/s.
        var rows = new[] { Cold(3, 4096, 1_000), Cold(4, 16_384, 180_000), Cold(5, 8192, 60_000) };
        Should.Throw<CalibrationException>(() => Calibrate(s_nothing with { MatMul = rows })).Message.ShouldBe(
            "no large row of 'mine' in gemm.csv reaches more than 0.089 % of the peak of h100-sxm (line 4), where those of the devices that were measured reach 70 % and more: is its column us in microseconds?");
        Calibrate(s_nothing with { MatMul = [Cold(3, 4096, 1_000), Cold(4, 16_384, 400)] }).Calibration.MatMul.ShouldBeEmpty();

        static MatMulRow Cold(int line, int width, double microseconds) => new(line, "mine", Precision.Bf16, 1, width, width, microseconds, Hot: false);
    }

    /// <summary>A folder of small rows alone has nothing to hold against a peak: what then is fitted stands where the search ends.</summary>
    [Fact]
    public void Small_rows_that_take_too_long_are_refused_by_their_constants()
    {
        var attention = (
            from length in Enumerable.Range(6, 9)
            from heads in new[] { 8, 16, 32, 64 }
            select LawfulRows.Timed(new AttentionRow(2, "mine", true, "any", 1, 1 << length, heads, 8, 0), s_h100)).ToList();
        new TimeUnit(s_h100, "mine").Shares(SystemRows.Of(s_nothing with { Attention = attention }, "mine", s_h100)).ShouldBeEmpty();
        Calibrate(s_nothing with { Attention = attention }).Calibration.Decode.ShouldNotBeNull();
        Should.Throw<CalibrationException>(() => Calibrate(Scaled(s_nothing with { Attention = attention }, 1000))).Message
            .ShouldBe("the fit of decode attention to attention.csv ends at the longest fixed time that is searched, 500 us: is its column us in microseconds?");
    }

    [Fact]
    public void Rows_that_are_too_fast_are_asked_for_their_unit_too()
    {
        foreach (var (table, rows) in LawfulTables())
            Should.Throw<CalibrationException>(() => Calibrate(Scaled(rows, 0.001)), table).Message.ShouldEndWith(". Is it the device that was measured, and is its column us in microseconds?");
    }

    [Fact]
    public void Constants_where_the_search_ends_and_bands_without_the_law_are_refused()
    {
        var made = s_h100.Calibration!;
        var (matMul, norm, collective) = (made.MatMul[0], made.SmallOperators[0], made.Collectives[0]);
        var unit = new TimeUnit(s_h100, "mine");
        Should.NotThrow(() => unit.CheckConstants(made));
        foreach (var (fault, wrong) in new (string, DeviceCalibration)[]
        {
            ("the fit of matmul bf16 to gemm.csv ends at the longest fixed time that is searched, 500 us", made with { MatMul = new[] { matMul with { Streaming = matMul.Streaming with { FixedMicroseconds = 500 } } } }),
            ("the fit of matmul bf16 to gemm.csv ends at the longest time for an element that is searched, 50000 ns", made with { MatMul = new[] { matMul with { Tiled = matMul.Tiled with { SplitNanoseconds = 49_990 } } } }),
            ("the fit of matmul bf16 to gemm.csv ends at the lowest rate that is searched, 1 % of the peak", made with { MatMul = new[] { matMul with { Tiled = matMul.Tiled with { HbmTerabytesPerSecond = 0.0335 } } } }),
            ("the law that was fitted to matmul bf16 of gemm.csv is not that of its rows: four of five take 1.24 to 1.87 times what it says", made with { MatMul = new[] { matMul with { Streaming = matMul.Streaming with { HotBand = new(1.24, 1.87) } } } }),
            ("the law that was fitted to decode attention of attention.csv is not that of its rows: four of five take 0.2 to 0.9 times what it says", made with { Decode = made.Decode! with { Band = new(0.2, 0.9) } }),
            ("the fit of prefill attention to attention.csv ends at the lowest rate that is searched, 1 % of the peak", made with { Prefill = made.Prefill! with { Teraflops = 9.894 } }),
            ("the fit of norm to layer-ops.csv ends at the longest fixed time that is searched, 500 us", made with { SmallOperators = new[] { norm with { FixedMicroseconds = 500 } } }),
            ("ranks to collectives.csv ends at the longest fixed time that is searched, 500 us", made with { Collectives = new[] { collective with { Algorithms = new[] { collective.Algorithms[0] with { LatencyMicroseconds = 500 } } } } }),
        })
        {
            var message = Should.Throw<CalibrationException>(() => unit.CheckConstants(wrong)).Message;
            message.ShouldContain(fault);
            message.ShouldEndWith(fault.Contains("layer-ops", StringComparison.Ordinal) ? ": are its columns that end in _us in microseconds?" : ": is its column us in microseconds?");
        }
    }

    /// <summary>Every table of every system, as it is and in another unit. The least share of the tables as they are is twice the bound.</summary>
    [MeasuredFact]
    public void The_published_tables_are_in_microseconds_and_no_multiple_of_them()
    {
        var tables = 0;
        foreach (var system in MeasuredTables.Set!.Systems)
        {
            var device = DeviceOf(MeasuredSystem.Of(system)?.DeviceId ?? "b200-sxm");
            var unit = new TimeUnit(device, system);
            foreach (var (table, share, _) in unit.Shares(SystemRows.Of(MeasuredTables.Set!, system, device)))
            {
                share.ShouldBeInRange(2 * TimeUnit.LeastShare * 0.99, 1.05, $"{system} {table}");
                foreach (var factor in new[] { 3.0, 10, 1000 })
                {
                    var scaled = Scaled(Only(MeasuredTables.Set!, table), factor);
                    Should.Throw<CalibrationException>(() => Calibrator.Calibrate(scaled, system, device, 132, "test"), $"{system} {table} x {factor}").Message
                        .ShouldStartWith($"no large row of '{system}' in {table} reaches more than ");
                }
                tables++;
            }
            if (device.Calibration is { } made && MeasuredSystem.Of(system) is not null)
                Should.NotThrow(() => unit.CheckConstants(made));
        }
        tables.ShouldBe(15);
    }

    /// <summary>One table of some.</summary>
    private static MeasurementSet Only(MeasurementSet from, string table) => table switch
    {
        MeasurementSet.MatMulTableName => s_nothing with { MatMul = from.MatMul },
        MeasurementSet.AttentionTableName => s_nothing with { Attention = from.Attention },
        MeasurementSet.CollectiveTableName => s_nothing with { Collectives = from.Collectives },
        MeasurementSet.LayerTableName => s_nothing with { Layers = from.Layers },
        _ => s_nothing with { HotMatMul = from.HotMatMul },
    };

    private static MeasurementSet Scaled(MeasurementSet rows, double factor) => new(
        rows.MatMul.Select(r => r with { Microseconds = r.Microseconds * factor }).ToList(),
        rows.HotMatMul.Select(r => r with { Microseconds = r.Microseconds * factor }).ToList(),
        rows.Attention.Select(r => r with { Microseconds = r.Microseconds * factor }).ToList(),
        rows.Collectives.Select(r => r with { Microseconds = r.Microseconds * factor }).ToList(),
        rows.Layers.Select(r => r with { Microseconds = r.Microseconds.Select(t => t * factor).ToArray() }).ToList());

    private static CalibrationResult Calibrate(MeasurementSet rows) => Calibrator.Calibrate(rows, "mine", s_h100, s_h100.Calibration!.Multiprocessors, "test");

    /// <summary>Tables whose rows the laws of the H100 made.</summary>
    private static (string Table, MeasurementSet Rows)[] LawfulTables() =>
    [
        (MeasurementSet.MatMulTableName, s_nothing with { MatMul = LawfulRows.MatMuls(s_h100) }),
        (MeasurementSet.AttentionTableName, s_nothing with { Attention = LawfulAttention() }),
        (MeasurementSet.CollectiveTableName, s_nothing with { Collectives = LawfulRows.AllReduces("NCCL").ToList() }),
    ];

    private static List<AttentionRow> LawfulAttention() =>
    [
        .. from batch in new[] { 1, 4, 16 }
           from length in new[] { 64, 128, 1024, 4096, 8192, 16_384 }
           from heads in new[] { 8, 32, 64 }
           from decode in new[] { true, false }
           select LawfulRows.Timed(new AttentionRow(2, "mine", decode, "any", batch, length, heads, 8, 0), s_h100),
    ];

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new ArgumentException(id);
}
