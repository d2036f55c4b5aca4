namespace Preserve.Calibration.Tests;

public class CalibratorTests
{
    private static readonly MeasurementSet s_nothing = new([], [], [], [], []);

    /// <summary>Rows that a law made are fitted by that law.</summary>
    [Fact]
    public void Constants_are_found_again()
    {
        var device = H100();
        var rows = LawfulRows.MatMuls(device);
        var made = device.Calibration!.MatMul[0];
        var result = Calibrator.Calibrate(s_nothing with { MatMul = rows }, "mine", device, device.Calibration.Multiprocessors, "test");
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

    /// <summary>Prompts of one token are decode with nothing cached: neither fit sees them, and the law of decode predicts them.</summary>
    [Fact]
    public void Prompts_of_one_token_enter_no_fit()
    {
        var device = H100();
        var made = device.Calibration!;
        var rows = new List<AttentionRow>();
        foreach (var batch in new[] { 1, 4, 16 })
        {
            foreach (var length in new[] { 64, 128, 1024, 4096, 8192 })
            {
                foreach (var heads in new[] { 8, 32, 64 })
                    rows.Add(LawfulRows.Timed(new AttentionRow(rows.Count + 3, "mine", false, "any", batch, length, heads, 8, 0), device));
            }
        }
        var ofOneToken = rows.Select(r => r with { Line = r.Line + rows.Count, Length = 1 }).Select(r => LawfulRows.Timed(r, device)).ToList();
        var without = Fit(rows);
        var result = Fit([.. rows, .. ofOneToken]);
        result.Calibration.Prefill.ShouldBe(without.Calibration.Prefill.ShouldNotBeNull());
        result.Calibration.Decode.ShouldBeNull();
        var figure = result.Figures.Single(f => f.Kind == "attention of one-token prompts");
        (figure.Part, figure.Rows).ShouldBe((ValidatedPart.HeldOut, ofOneToken.Count));
        var tables = result.Calibration.Tables.ShouldHaveSingleItem();
        tables.HeldOut.ShouldBe(without.Calibration.Tables[0].HeldOut + ofOneToken.Count);
        Validator.Validate(s_nothing with { Attention = ofOneToken }, "mine", device, ValidatedPart.HeldOut).ShouldHaveSingleItem().Mape.ShouldBeLessThan(1e-3);

        CalibrationResult Fit(List<AttentionRow> attention) =>
            Calibrator.Calibrate(s_nothing with { Attention = attention }, "mine", device with { Calibration = null }, made.Multiprocessors, "test");
    }

    /// <summary>A rate cannot be told from one size, however often it was measured, nor from sizes that are nearly one, nor from messages
    /// that are all too small for the link to count.</summary>
    [Theory]
    [InlineData(30, 1024, 1, "has 30 rows of 1 sizes to fit, but needs 6 rows of 5 sizes, each at least twice the one before")]
    [InlineData(30, 1024, 1.01, "has 24 rows of 1 sizes to fit, but needs 6 rows of 5 sizes, each at least twice the one before")]
    [InlineData(5, 65_536, 8, "has 5 rows of 5 sizes to fit, but needs 6 rows of 5 sizes, each at least twice the one before")]
    [InlineData(8, 64, 2, "has rows of 64 to 8192 bytes to fit, but needs a message that takes the link 15.0 us, as the smallest took; its largest takes 0.0")]
    public void Sizes_that_do_not_tell_a_collective_leave_it_to_the_nominal_law(int rows, int smallest, double factor, string lack)
    {
        var measured = Enumerable.Range(0, rows).Select(i => LawfulRows.AllReduce("NCCL", (long)(smallest * Math.Pow(factor, i))));
        var result = Calibrate(measured);
        result.Calibration.Collectives.ShouldBeEmpty();
        result.NotFitted.ShouldBe([$"all-reduce NCCL 8 ranks {lack}"]);
    }

    /// <summary>Seven sizes, of which one is held out, are too few for the seven constants of a tree and two rings, and enough for the five of a tree and one.</summary>
    [Theory]
    [InlineData(7, 2)]
    [InlineData(12, 3)]
    public void Few_sizes_have_one_ring(int sizes, int mostAlgorithms)
    {
        var result = Calibrate(LawfulRows.AllReduces("NCCL").TakeLast(sizes));
        result.NotFitted.ShouldBeEmpty();
        var constants = result.Calibration.Collectives.ShouldHaveSingleItem();
        constants.Algorithms.Count.ShouldBeLessThanOrEqualTo(mostAlgorithms);
        constants.Band.ShouldNotBeNull();
        result.Figures.ShouldAllBe(f => f.Mape < 1);
        result.Figures.Select(f => f.Part).ShouldBe([ValidatedPart.HeldOut, ValidatedPart.Fitted]);
    }

    /// <summary>Small rows and large ones are enough, and none of a weight that stays resident.</summary>
    [Fact]
    public void What_a_matmul_lacks_is_told()
    {
        var rows = LawfulRows.MatMuls(H100());
        NotFitted(rows.Where(r => Calibrator.WeightBytes(r) >= Calibrator.LeastColdBytes)).ShouldBe(["matmul bf16 has 0 small resident rows to fit, but needs 12"]);
        NotFitted(rows.Where(r => r.Rows <= 64 && Calibrator.WeightBytes(r) >= Calibrator.LeastColdBytes)).ShouldBe(["matmul bf16 has 0 large, 0 small resident rows to fit, but needs 12 of each"]);
        NotFitted(rows.Where(r => r.Rows > 64)).ShouldBe(["matmul bf16 has 0 small, 0 small resident rows to fit, but needs 12 of each"]);
        NotFitted(rows).ShouldBeEmpty();

        static IReadOnlyList<string> NotFitted(IEnumerable<MatMulRow> rows) =>
            Calibrator.Calibrate(s_nothing with { MatMul = rows.ToList() }, "mine", H100() with { Calibration = null }, 132, "test").NotFitted;
    }

    [Fact]
    public void Each_library_that_is_not_fitted_is_named()
    {
        var result = Calibrate(
        [
            .. LawfulRows.AllReduces("NCCL"),
            .. LawfulRows.AllReduces("vLLM_custom").Take(3),
            .. LawfulRows.AllReduces("TRTLLM"),
            .. LawfulRows.AllReduces("TRTLLM").Take(1).Select(r => r with { Launch = LaunchMode.Eager }),
        ]);
        result.Calibration.Collectives.Select(c => (c.Library, c.Eager)).ShouldBe([("NCCL", null), ("TRTLLM", null)]);
        result.NotFitted.ShouldBe(
        [
            "all-reduce TRTLLM 8 ranks eager has 1 rows of 1 sizes to fit, but needs 6 rows of 2 sizes, each at least twice the one before",
            "all-reduce vLLM_custom 8 ranks has 2 rows of 2 sizes to fit, but needs 6 rows of 4 sizes, each at least twice the one before",
        ]);
    }

    /// <summary>No law is of all-to-all, and a library of two sizes has no constants: neither stands among the rows that a calibration was made of.</summary>
    [Fact]
    public void Rows_that_make_no_constants_are_named_and_not_counted()
    {
        var exchanged = LawfulRows.AllReduces("NCCL").Select(r => r with { Operation = "alltoall" });
        var all = s_nothing with { Collectives = [.. LawfulRows.AllReduces("NCCL"), .. LawfulRows.AllReduces("Custom").Take(3), .. exchanged] };
        var (result, alone) = (Calibrate(all.Collectives), Calibrate(LawfulRows.AllReduces("NCCL")));
        result.NotUsed.Select(u => u.ToString()).ShouldBe(["collectives.csv: 12 rows of alltoall of mine: no cost law is of it"]);
        result.NotFitted.ShouldHaveSingleItem().ShouldStartWith("all-reduce Custom 8 ranks");
        result.Calibration.Tables.ShouldBe(alone.Calibration.Tables);
        result.Calibration.Tables.ShouldHaveSingleItem().Rows.ShouldBe(12);

        Validator.NotCompared(all, "mine", result.Device).Select(u => u.ToString()).ShouldBe(
        [
            "collectives.csv: 12 rows of alltoall of mine: no cost law is of it",
            "collectives.csv: 3 rows of all-reduce Custom 8 ranks of mine: h100-sxm has no constants of the library",
        ]);
        Validator.Validate(all, "mine", result.Device, ValidatedPart.All).Sum(r => r.Rows).ShouldBe(12);
        Should.NotThrow(() => Calibrate(exchanged)).Calibration.Tables.ShouldBeEmpty();
    }

    /// <summary>The matmuls alone are measured anew: all else that the file had is gone, but the link to the host, and named.</summary>
    [Fact]
    public void Constants_that_the_tables_do_not_replace_are_named()
    {
        var device = H100();
        var made = device.Calibration!;
        var host = new HostTransferConstants(9, 55, 12, 12, 0.8, 300);
        var result = Calibrator.Calibrate(s_nothing with { MatMul = LawfulRows.MatMuls(device) }, "mine", device with { Calibration = made with { HostTransfer = host } }, 132, "test");
        result.Calibration.HostTransfer.ShouldBe(host);
        result.Calibration.IsEmpty.ShouldBeFalse();
        result.NotKept.Take(8).ShouldBe(["matmul fp8", "decode attention", "prefill attention", "norm", "rotary", "activation", "add", "all-reduce NCCL 2, 4, 8 ranks"], ignoreOrder: true);
        result.NotKept.ShouldContain("all-reduce vLLM_custom eager 2, 4, 8 ranks");
        made.Collectives.Select(c => c.Library).Distinct().ShouldAllBe(library => result.NotKept.Any(k => k.StartsWith($"all-reduce {library} ", StringComparison.Ordinal)));

        Calibrate(LawfulRows.AllReduces("NCCL")).NotKept.ShouldBeEmpty("the base had nothing");
        var nothing = Calibrator.Calibrate(s_nothing with { MatMul = LawfulRows.MatMuls(device).Take(5).ToList() }, "mine", device with { Calibration = made with { HostTransfer = host } }, 132, "test");
        nothing.Calibration.IsEmpty.ShouldBeTrue("the link to the host was not fitted");
    }

    [Theory]
    [InlineData("RCCL")]
    [InlineData("oneCCL")]
    public void Any_collective_communication_library_takes_what_others_do_not(string name)
    {
        var result = Calibrate([.. LawfulRows.AllReduces("Custom"), .. LawfulRows.AllReduces(name)]);
        result.Calibration.Collectives.Select(c => (c.Library, c.Fallback)).ShouldBe([(name, null), ("Custom", name)]);
        OfShots(result.Calibration.Collectives[0]).ShouldBeFalse();
        OfShots(result.Calibration.Collectives[1]).ShouldBeTrue();
    }

    [Fact]
    public void A_library_of_shots_alone_has_no_other_algorithm()
    {
        var only = Calibrate(LawfulRows.AllReduces("vLLM_custom")).Calibration.Collectives.ShouldHaveSingleItem();
        OfShots(only).ShouldBeTrue();
        only.LargestBytes.ShouldBeNull();
        only.Fallback.ShouldBeNull();
    }

    [Fact]
    public void A_system_without_rows_is_refused() =>
        Should.Throw<ArgumentException>(() => Calibrator.Calibrate(s_nothing with { Attention = [new(2, "theirs", true, "", 1, 1, 1, 1, 1)] }, "mine", H100(), 132, "test"))
            .Message.ShouldContain("no table has a row of 'mine'; there are theirs");

    [Fact]
    public void Impossible_rows_are_dropped_and_named()
    {
        var rows = LawfulRows.MatMuls(H100()).Append(new MatMulRow(1007, "mine", Precision.Bf16, 1, 8192, 8192, 1, false)).ToList();
        var result = Calibrator.Calibrate(s_nothing with { MatMul = rows }, "mine", H100(), 132, "test");
        result.Dropped.ShouldHaveSingleItem().ToString().ShouldBe("gemm.csv:1007: reading the weight at 134.218 TB/s, but the machine's peak is 3.35");
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

    private static CalibrationResult Calibrate(IEnumerable<CollectiveRow> rows) =>
        Calibrator.Calibrate(s_nothing with { Collectives = rows.ToList() }, "mine", H100() with { Calibration = null }, 132, "test");

    private static bool OfShots(CollectiveCalibration constants) =>
        constants.Algorithms.All(a => a.Name is CollectiveAlgorithmName.OneShot or CollectiveAlgorithmName.TwoShot);

    private static Device H100() => DeviceCatalogue.TryGet("h100-sxm", out var device) ? device : throw new InvalidOperationException();
}
