namespace Preserve.Optimizer.Tests.Reporting;

/// <summary>What is said of a step in a few values.</summary>
public class StepSummaryTests
{
    private static readonly Device H100 = DeviceCatalogue.TryGet(Devices.H100, out var device) ? device! : throw new InvalidOperationException();

    private static readonly PlannedStep Planned =
        Planner.Plan(Specs.Deploy(Specs.Llama3_8B, 2, Specs.Decode(4, 1_000), Precision.Bf16, PrefetchPolicy.Paper, Devices.H100), H100).Steps[0];

    [Fact]
    public async Task The_band_is_that_of_the_steps_own_run()
    {
        var banded = await BandedRun.OfAsync(Planned.Plan, 1_000, H100, new SimulationOptions());
        var summary = StepSummary.Of(Planned, H100);
        summary.Band.ShouldBe(banded.BandOf(r => r.Picoseconds).ShouldNotBeNull());
        summary.NotMeasured.ShouldBe(banded.Unmeasured);
        summary.Step.ShouldBe("decode batch 4 context 1000");
        summary.SplitPays.ShouldBeNull();
    }

    [Fact]
    public void A_device_that_was_not_measured_has_no_band()
    {
        DeviceCatalogue.TryGet(Devices.Ascend910B2, out var ascend).ShouldBeTrue();
        var planned = Planner.Plan(Specs.Deploy(Specs.Llama3_8B, 2, Specs.Decode(4, 1_000)), ascend!).Steps[0];
        StepSummary.Of(planned, ascend!).ShouldSatisfyAllConditions(s => s.Band.ShouldBeNull(), s => s.NotMeasured.ShouldBeEmpty());
    }

    [Theory]
    [InlineData(90, true)]
    [InlineData(100, false)]
    [InlineData(110, false)]
    public void Prefetches_pay_where_the_step_is_shorter(long step, bool pays) =>
        Of(Planned.Report with { BasePicoseconds = 100, StepPicoseconds = step, Windows = new[] { Window("a", 0, 0, Candidate("w", 10, 10, Verdict.Whole, "")) } }).PrefetchPays.ShouldBe(pays);

    [Fact]
    public void Without_prefetches_none_pays() =>
        Of(Planned.Report with { BasePicoseconds = 100, StepPicoseconds = 90, Windows = new[] { Window("a", 0, 0, Candidate("w", 10, 0, Verdict.NoRoom, "")) } }).PrefetchPays.ShouldBeFalse();

    [Fact]
    public void What_was_refused_says_its_gain() =>
        ReasonOf(Planned.Report with { Guard = new GuardReport(GuardOutcome.Refused, -5_000_000, 1_234_500_000) })
            .ShouldBe("all prefetches together gain -5.0 to 1,234.5 us, which is not sure to be a gain");

    [Fact]
    public void What_is_slower_elsewhere_says_so() =>
        ReasonOf(Planned.Report with { Guard = GuardReport.SlowerElsewhere }).ShouldBe("what gains at the largest context costs time at a smaller one");

    [Fact]
    public void Where_there_is_nothing_to_prefetch_beside_it_says_so() =>
        ReasonOf(Planned.Report with { Windows = default }).ShouldBe("no kernel leaves memory idle for long enough to prefetch beside it");

    /// <summary>A window counts once for each of its layers: ten small tensors outweigh one that is larger.</summary>
    [Fact]
    public void The_largest_that_is_left_gives_the_reason() =>
        ReasonOf(Planned.Report with
        {
            Windows = new[]
            {
                Window("once", -1, 0, Candidate("head", 50, 0, Verdict.NoRoom, "of the head"), Candidate("norm", 9_999, 0, Verdict.NotAsked, "not asked")),
                Window("many", 0, 10, Candidate("up", 10, 4, Verdict.Part, "of the layers"), Candidate("down", 6, 6, Verdict.Whole, "")),
            },
        }).ShouldBe("up: of the layers");

    /// <summary>100 bytes in all layers are prefetched, and 60 and 30 left.</summary>
    [Fact]
    public void Where_more_is_prefetched_than_left_the_window_that_saves_most_gives_it() =>
        ReasonOf(Planned.Report with
        {
            Windows = new[]
            {
                Window("once", -1, 0, Candidate("head", 30, 0, Verdict.NoRoom, "of the head")),
                Window("many", 0, 10, Candidate("up", 10, 4, Verdict.Part, "of the layers"), Candidate("down", 6, 6, Verdict.Whole, "")),
            },
        }).ShouldBe("most is saved beside many, 10.0 us");

    private static string ReasonOf(PlanReport report) => Of(report).Reason;

    private static StepSummary Of(PlanReport report) => StepSummary.Of(Planned with { Report = report }, H100);

    /// <summary>A window of some layers, 0 for one outside them.</summary>
    private static WindowReport Window(string host, int first, int layers, params CandidateReport[] candidates) =>
        new(host, first, first + Math.Max(layers - 1, 0), layers > 1 ? 1 : 0, 0, 0, 1_000_000L * candidates.Sum(c => c.PrefetchedBytes), candidates);

    private static CandidateReport Candidate(string tensor, long bytes, long prefetched, Verdict verdict, string reason) =>
        new(new TensorReference(tensor, Planned.Report.Windows[0].Candidates[0].Tensor.Layer), bytes, prefetched, verdict, reason);
}
