namespace Preserve.Optimizer.Tests.Reporting;

/// <summary>What is said of a step in a few values.</summary>
public class StepSummaryTests
{
    private static readonly Device H100 = DeviceCatalogue.TryGet(Devices.H100, out var device) ? device! : throw new InvalidOperationException();

    private static readonly Device Ascend = DeviceCatalogue.TryGet(Devices.Ascend910B2, out var device) ? device! : throw new InvalidOperationException();

    private static readonly DeploymentSpec Deployment = Specs.Deploy(Specs.Llama3_8B, 2, Specs.Decode(4, 1_000), Precision.Bf16, PrefetchPolicy.Paper, Devices.H100);

    private static readonly PlannedStep Planned = Planner.Plan(Deployment, H100).Steps[0] switch { var step => step with { Report = step.Report with { BasePicoseconds = 100_000_000, StepPicoseconds = 80_000_000 } } };

    [Fact]
    public async Task The_band_is_that_of_the_steps_own_run()
    {
        var banded = await BandedRun.OfAsync(Planned.Plan, 1_000, H100, new SimulationOptions());
        var summary = StepSummary.Of(Planned, Deployment, H100);
        summary.Band.ShouldBe(banded.BandOf(r => r.Picoseconds).ShouldNotBeNull());
        summary.NotMeasured.ShouldBe(banded.Unmeasured);
        summary.Step.ShouldBe("decode batch 4 context 1000");
        summary.SplitPays.ShouldBeNull();
    }

    [Fact]
    public void A_device_that_was_not_measured_has_no_band()
    {
        var deployment = Specs.Deploy(Specs.Llama3_8B, 2, Specs.Decode(4, 1_000));
        StepSummary.Of(Planner.Plan(deployment, Ascend).Steps[0], deployment, Ascend).ShouldSatisfyAllConditions(s => s.Band.ShouldBeNull(), s => s.NotMeasured.ShouldBeEmpty());
    }

    /// <summary>Of a device of which something was measured, what lacks is named beside a band and where there is none.</summary>
    [Fact]
    public void What_lacks_a_measurement_is_named()
    {
        var summary = StepSummary.Of(Planned, Deployment, H100 with { Calibration = H100.Calibration! with { Decode = null } });
        summary.NotMeasured.ShouldBe(["decode attention"]);
        summary.Band.ShouldNotBeNull();
        var bare = StepSummary.Of(Planned, Deployment, H100 with { Calibration = H100.Calibration! with { Decode = null, MatMul = H100.Calibration!.MatMul.Where(m => m.Precision == Precision.Fp8).ToArray() } });
        bare.NotMeasured.ShouldContain("matmuls of bf16 by bf16");
        bare.Band.ShouldBeNull();
    }

    [Theory]
    [InlineData(90_000, true)]
    [InlineData(100_000, true)]
    [InlineData(100_001, false)]
    [InlineData(100_050, false)]
    [InlineData(110_000, false)]
    public void Prefetches_pay_where_the_speedup_shows_it(long step, bool pays) =>
        Of(Planned.Report with { BasePicoseconds = 100_050, StepPicoseconds = step, Windows = new[] { Window("a", 0, 0, Candidate("w", 10, 10, Verdict.Whole, "")) } }).PrefetchPays.ShouldBe(pays);

    [Fact]
    public void Without_prefetches_none_pays() =>
        Of(Planned.Report with { BasePicoseconds = 100, StepPicoseconds = 90, Windows = new[] { Window("a", 0, 0, Candidate("w", 10, 0, Verdict.NoRoom, "")) } }).PrefetchPays.ShouldBeFalse();

    [Fact]
    public void What_was_refused_says_its_gain() =>
        ReasonOf(Planned.Report with { Guard = new GuardReport(GuardOutcome.Refused, -5_000_000, 1_234_500_000) })
            .ShouldBe("all prefetches together gain -5.0 to 1,234.5 us, which is not sure to be a gain");

    /// <summary>Steps that Best prefetches beside kernels of, or with weights as well.</summary>
    [Theory]
    [InlineData(PrefetchPolicy.Paper, PrefetchTargets.Both, 1, false, Home.Device, "the policy prefetches under collectives, and one rank has none")]
    [InlineData(PrefetchPolicy.Paper, PrefetchTargets.KeyValues, 2, true, Home.Device, "the deployment lets the KV-cache alone be prefetched, and a prefill reads none from before it")]
    [InlineData(PrefetchPolicy.Best, PrefetchTargets.KeyValues, 2, true, Home.Device, "the deployment lets the KV-cache alone be prefetched, and a prefill reads none from before it")]
    [InlineData(PrefetchPolicy.Best, PrefetchTargets.KeyValues, 1, true, Home.Device, "the deployment lets the KV-cache alone be prefetched, and a prefill reads none from before it")]
    [InlineData(PrefetchPolicy.Best, PrefetchTargets.KeyValues, 2, false, Home.Host, "the deployment lets the KV-cache alone be prefetched, and that is in host memory")]
    [InlineData(PrefetchPolicy.None, PrefetchTargets.Both, 2, false, Home.Device, "the policy prefetches nothing")]
    public void Where_nothing_may_be_prefetched_what_forbids_it_is_said(PrefetchPolicy policy, PrefetchTargets targets, int ranks, bool prefill, Home cache, string reason)
    {
        var deployment = Specs.Deploy(Specs.Llama3_8B, ranks, prefill ? new PrefillSpec(1, 16) : Specs.Decode(1, 16), Precision.Bf16, policy, Devices.H100)
            with
        { PrefetchTargets = targets, Offload = OffloadSpec.None with { KeyValues = cache } };
        var planned = Planner.Plan(deployment, H100).Steps[0];
        StepSummary.Of(planned, deployment, H100).Reason.ShouldBe(reason);
        // An L2 that is not known hinders no more.
        var unknown = H100 with { L2 = H100.L2 with { ReadTerabytesPerSecond = null } };
        StepSummary.Of(Planner.Plan(deployment, unknown).Steps[0], deployment, unknown).Reason.ShouldBe(reason);
        PrefetchHindrance.Of(planned.Plan.Step, deployment).ShouldNotBeNull().Reason.ShouldBe(reason);
    }

    /// <summary>Of one rank what stands beside kernels, of a cache on the device what is there, and of weights the head, wherever the layers' matrices are.</summary>
    [Theory]
    [InlineData(PrefetchTargets.Both, Home.Device)]
    [InlineData(PrefetchTargets.KeyValues, Home.Device)]
    [InlineData(PrefetchTargets.Weights, Home.Host)]
    public void Nothing_is_said_to_forbid_what_may_be_prefetched(PrefetchTargets targets, Home weights)
    {
        var deployment = Specs.Deploy(Specs.TwoKinds with { Stack = new[] { Specs.Group(2, Specs.Layer("Only", 32, 8, 128, 8_192)) } }, 1, Specs.Decode(1, 16), Precision.Bf16, PrefetchPolicy.Best, Devices.H100)
            with
        { PrefetchTargets = targets, Offload = OffloadSpec.None with { Weights = weights } };
        var planned = Planner.Plan(deployment, H100).Steps[0];
        planned.Report.Windows.ShouldNotBeEmpty();
        PrefetchHindrance.Of(planned.Plan.Step, deployment).ShouldBeNull();
    }

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
        }).ShouldBe("what is left, most of it up beside many: of the layers");

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

    [Fact]
    public void Where_nothing_is_prefetched_the_largest_that_could_be_gives_it() =>
        ReasonOf(Windows(Window("many", 0, 10, Candidate("up", 10, 0, Verdict.WindowTooShort, "of the layers")))).ShouldBe("what could be prefetched, most of it up beside many: of the layers");

    /// <summary>A policy that asks for no gain: 2,048 sequences on eight ranks, whose matmuls do not wait for memory.</summary>
    [Fact]
    public void A_step_that_is_longer_names_the_window_that_costs_most()
    {
        var deployment = Specs.Deploy(Specs.Llama3_8B, 8, Specs.Decode(2_048, 128), Precision.Bf16);
        var planned = Planner.Plan(deployment, Ascend).Steps[0];
        planned.Report.StepPicoseconds.ShouldBeGreaterThan(planned.Report.BasePicoseconds);
        var worst = planned.Report.Windows.MinBy(w => w.SavedPicoseconds)!;
        StepSummary.Of(planned, deployment, Ascend).ShouldSatisfyAllConditions(
            s => s.PrefetchPays.ShouldBeFalse(),
            s => s.Reason.ShouldBe(FormattableString.Invariant($"what is prefetched beside {worst.Host} costs {-worst.SavedPicoseconds / 1e6:#,0.0} us")));
    }

    [Theory]
    [InlineData(110, 5, -20, "what is prefetched beside b costs 0.000020 us")]
    [InlineData(110, 5, 0, "all prefetches together cost 0.000010 us, those of no window alone do")]
    [InlineData(100, 0, 0, "what is prefetched saves nothing")]
    [InlineData(90, 0, 0, "all prefetches together save 0.000010 us, those of no window alone do")]
    [InlineData(90, 0, -1, "all prefetches together save 0.000010 us, those of no window alone do")]
    [InlineData(90, 7, -1, "most is saved beside a, 0.000007 us")]
    public void A_saving_is_never_told_where_there_is_none(long step, long savedFirst, long savedSecond, string reason)
    {
        var first = Window("a", 0, 0, Candidate("v", 10, 10, Verdict.Whole, "")) with { SavedPicoseconds = savedFirst };
        var second = Window("b", 1, 0, Candidate("w", 10, 10, Verdict.Whole, "")) with { SavedPicoseconds = savedSecond };
        ReasonOf(Windows(first, second) with { BasePicoseconds = 100, StepPicoseconds = step }).ShouldBe(reason);
    }

    [Fact]
    public void A_saving_that_the_speedup_does_not_show_is_told_and_does_not_pay()
    {
        var report = Windows(Window("a", 0, 0, Candidate("w", 10, 10, Verdict.Whole, ""))) with { BasePicoseconds = 11_574_000_000, StepPicoseconds = 11_572_500_000 };
        Of(report).ShouldSatisfyAllConditions(
            s => s.PrefetchPays.ShouldBeFalse(),
            s => s.Reason.ShouldBe("all prefetches together save 1.5 us, less than a speed-up of three decimals shows"));
    }

    /// <summary>The planner takes back the policy of a deployment whose layers serve several batches. The host link is named only where it makes the bound.</summary>
    [Fact]
    public void A_policy_that_was_declared_and_taken_back_is_not_said_to_prefetch_nothing()
    {
        var planned = Planned with { Plan = Planned.Plan with { Policy = PrefetchPolicy.None } };
        var batches = Deployment with { Prefetch = PrefetchPolicy.Best, Offload = Deployment.Offload with { BatchesPerLayer = 3 } };
        ReasonBoundBy("HBM").ShouldBe("where layers serve several batches, here 3, the planner prefetches nothing");
        ReasonBoundBy("host link, to the device").ShouldBe("where layers serve several batches, here 3, the planner prefetches nothing, and the host link makes the bound");
        StepSummary.Of(planned, batches with { Prefetch = PrefetchPolicy.None }, H100).Reason.ShouldBe("the policy prefetches nothing");

        string ReasonBoundBy(string bound) => StepSummary.Of(planned with { Report = planned.Report with { BoundBy = bound } }, batches, H100).Reason;
    }

    /// <summary>What one window brings of a tensor is not left in another, nor left twice: here 60 bytes of the first, 30 of the second in each of ten layers.</summary>
    [Fact]
    public void A_tensor_of_two_windows_counts_once() =>
        ReasonOf(Windows(
            Window("early", 0, 10, Candidate("both", 100, 0, Verdict.NoRoom, "of the early window"), Candidate("once", 90, 0, Verdict.NoRoom, "of the other")),
            Window("late", 0, 10, Candidate("both", 100, 40, Verdict.Part, "of the late window")))).ShouldBe("what is left, most of it once beside early: of the other");

    /// <summary>60 bytes are left in each layer, 70 prefetched: twice 60 would be more.</summary>
    [Fact]
    public void A_tensor_of_two_windows_is_not_left_twice() =>
        ReasonOf(Windows(
            Window("early", 0, 10, Candidate("both", 100, 0, Verdict.NoRoom, "early"), Candidate("other", 30, 30, Verdict.Whole, "")),
            Window("late", 0, 10, Candidate("both", 100, 40, Verdict.Part, "late")))).ShouldBe("most is saved beside late, 40.0 us");

    /// <summary>The next layer's tensor beside the last kernel of a layer is its own beside the first.</summary>
    [Fact]
    public void The_tensor_of_a_layer_is_the_same_wherever_it_is_counted_from() =>
        ReasonOf(Windows(
            Window("last", 0, 9, Candidate("qkv", 100, 60, Verdict.Part, "beside the last") with { Tensor = new TensorReference("qkv", LayerIndex.FromRepeat(1)) }),
            Window("first", 1, 9, Candidate("qkv", 100, 0, Verdict.NoRoom, "beside the first"))))
            .ShouldBe("most is saved beside last, 60.0 us");

    [Fact]
    public void What_another_window_brings_is_no_limit() =>
        ReasonOf(Windows(
            Window("early", 0, 10, Candidate("kv", 100, 0, Verdict.OtherWindow, "another brings the same")),
            Window("late", 0, 10, Candidate("w", 10, 10, Verdict.Whole, "")))).ShouldBe("most is saved beside late, 10.0 us");

    /// <summary>Of a cache in host memory the split gives the reason where the link is the bound, or where it gains more than prefetch.</summary>
    [Theory]
    [InlineData("host link, to the device", 0, "split")]
    [InlineData("host link, to the host", 0, "split")]
    [InlineData("critical path", 0, "most is saved beside many, 10.0 us")]
    [InlineData("HBM", 1_000_000_000_000, "split")]
    public void The_split_gives_the_reason_where_it_matters_most(string bound, long splitGain, string reason)
    {
        var unprefetched = new PlanTimes(CostLaws.For(H100), default).Of(Planned.Plan.WithoutPrefetch(), 1_000);
        ReasonOf(Windows(Window("many", 0, 10, Candidate("w", 10, 10, Verdict.Whole, ""))) with
        {
            BoundBy = bound,
            BasePicoseconds = unprefetched + splitGain,
            StepPicoseconds = unprefetched - 10_000_000,
            Split = new SplitReport(SplitOutcome.NotFaster, 0, 0, 0, "split"),
        }).ShouldBe(reason);
    }

    /// <summary>Such a step may be shorter than its base plan by the split alone.</summary>
    [Theory]
    [InlineData(-10_000_000, true)]
    [InlineData(10_000_000, false)]
    public void Prefetches_pay_by_what_they_gain_beside_the_split(long longer, bool pays)
    {
        var unprefetched = new PlanTimes(CostLaws.For(H100), default).Of(Planned.Plan.WithoutPrefetch(), 1_000);
        Of(Windows(Window("many", 0, 10, Candidate("w", 10, 10, Verdict.Whole, ""))) with
        {
            BasePicoseconds = 2 * unprefetched,
            StepPicoseconds = unprefetched + longer,
            Split = new SplitReport(SplitOutcome.Pipelined, 10, 0, 0, "split"),
        }).PrefetchPays.ShouldBe(pays);
    }

    private static PlanReport Windows(params WindowReport[] windows) => Planned.Report with { Windows = windows };

    private static string ReasonOf(PlanReport report) => Of(report).Reason;

    private static StepSummary Of(PlanReport report) => StepSummary.Of(Planned with { Report = report }, Deployment, H100);

    /// <summary>A window of some layers, 0 for one outside them.</summary>
    private static WindowReport Window(string host, int first, int layers, params CandidateReport[] candidates) =>
        new(host, first, first + Math.Max(layers - 1, 0), layers > 1 ? 1 : 0, 0, 0, 1_000_000L * candidates.Sum(c => c.PrefetchedBytes), candidates);

    private static CandidateReport Candidate(string tensor, long bytes, long prefetched, Verdict verdict, string reason) =>
        new(new TensorReference(tensor, LayerIndex.FromRepeat(0)), bytes, prefetched, verdict, reason);
}
