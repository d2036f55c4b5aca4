namespace Preserve.Optimizer.Tests;

/// <summary>The guard keeps what gains at the stated confidence and refuses what does not, by laws whose bands are chosen here.</summary>
public class GuardTests
{
    private static readonly KernelKind[] _kinds = [KernelKind.MatMul, KernelKind.Attention, KernelKind.Collective];

    private static readonly DeploymentSpec _deployment = Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(64, 4096), Precision.Bf16, PrefetchPolicy.Best, Devices.H100);

    /// <summary>Phi-3-medium on two ranks: under short collectives the published rule prefetches what then arrives too late, and loses.</summary>
    private static readonly DeploymentSpec _losing = Specs.Deploy(
        Specs.Model("Phi-3-medium", 5120, 32_064, Specs.Group(40, Specs.Layer("Layer", 40, 10, 128, 17_920))), 2, Specs.Decode(4, 16_383), prefetch: PrefetchPolicy.Paper, device: Devices.L40S);

    [Theory]
    [InlineData(0.9, 1.1)]
    [InlineData(0.5, 2)]
    public void Keeps_a_gain_that_exceeds_its_deviation_as_the_normal_distribution_asks(double low, double high)
    {
        var laws = new Banded(Laws(Devices.H100), low, high, _kinds);
        var search = new BestPrefetch(_deployment, _deployment.Steps[0], laws, default);
        Judge(search.Choose().Plan, search.Base!, laws).Outcome.ShouldBe(GuardOutcome.Kept);
    }

    [Fact]
    public void What_is_refused_is_not_emitted_and_its_reason_is_the_guards()
    {
        var laws = new Banded(new ScaledCollectiveLaws(Laws(Devices.L40S), 0.5), 0.9, 1.1, _kinds);
        var search = new BestPrefetch(_losing, _losing.Steps[0], laws, default);
        var found = search.Choose();
        var published = Planner.DraftPrefetched(_losing, _losing.Steps[0], laws, CacheSplit.None, default);
        Judge(published.Plan, search.Base!, laws).Outcome.ShouldBe(GuardOutcome.Refused);

        var emitted = search.Guarded(published with { Choice = found.Choice });
        emitted.Guard!.Outcome.ShouldBe(GuardOutcome.Refused);
        emitted.Plan.Body.ShouldBe(search.Base!.Body);
        var report = new ReportBuilder(_losing, emitted, laws, default).Build();
        report.StepPicoseconds.ShouldBe(report.BasePicoseconds);
        report.Windows.SelectMany(w => w.Candidates).ShouldContain(c => c.Verdict == Verdict.NotSure);
        report.Windows.SelectMany(w => w.Candidates).ShouldAllBe(c => c.PrefetchedBytes == 0);
    }

    /// <summary>Small operators alone, and no collective, were measured; and collectives alone, which take less than half of the step: it has no band then, and its gain
    /// none either.</summary>
    [Theory]
    [InlineData(KernelKind.SmallOperator)]
    [InlineData(KernelKind.Collective)]
    public void Nothing_is_sure_where_no_collective_was_measured_or_not_the_larger_part_of_the_step(KernelKind measured)
    {
        var laws = new Banded(Laws(Devices.H100), 0.99, 1.01, measured);
        var search = new BestPrefetch(_deployment, _deployment.Steps[0], laws, default);
        var choice = search.Choose();
        Guard.Judge(search.Base!, choice.Plan, laws, new PlanTimes(laws, default)).ShouldBe(new GuardReport(GuardOutcome.Nominal, null, null));
    }

    private static ICostLaws Laws(string id) => CostLaws.For(DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id));

    /// <summary>Judges, and holds the judgement against what is worked out here: what each kind loses, at the end of its band where it loses more,
    /// added as the sides of a right angle; 90 % lie below 1.2816 standard deviations, 80 % below 0.8416.</summary>
    private static GuardReport Judge(ExecutionPlan plan, ExecutionPlan basePlan, Banded laws)
    {
        var (times, context) = (new PlanTimes(laws, default), plan.Step.MaxContext);
        var guard = Guard.Judge(basePlan, plan, laws, times);
        var gain = Gain(laws);
        var lost = Math.Sqrt(_kinds.Sum(kind =>
        {
            var slow = Gain(new PerturbedCostLaws(laws, kind, slow: true)) - gain;
            var fast = Gain(new PerturbedCostLaws(laws, kind, slow: false)) - Gain(new PerturbedCostLaws(laws, null, slow: false));
            return Math.Pow(Math.Min(0, Math.Min(slow, fast)), 2);
        }));
        guard.Outcome.ShouldBe(gain - (lost * 0.8416 / 1.2816) > 0 ? GuardOutcome.Kept : GuardOutcome.Refused);
        guard.LowPicoseconds.ShouldBe(gain - (long)lost);
        return guard;

        long Gain(ICostLaws any) => times.Under(any, basePlan, context) - times.Under(any, plan, context);
    }

    /// <summary>Laws with one band for some kinds of kernels, and none for the others.</summary>
    private sealed class Banded(ICostLaws laws, double low, double high, params KernelKind[] kinds) : ICostLaws
    {
        public Device Device => laws.Device;

        public long EventPicoseconds => laws.EventPicoseconds;

        public double HbmBytesPerPicosecond => laws.HbmBytesPerPicosecond;

        public double L2BytesPerPicosecond => laws.L2BytesPerPicosecond;

        public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes) => laws.Demand(operation, context, readBytes, writtenBytes);

        public CollectiveMethod MethodOf(CollectiveOperation operation) => laws.MethodOf(operation);

        public ResidualBand? Band(Operation operation) =>
            PerturbedCostLaws.KindOf(operation) is { } kind && kinds.Contains(kind) ? new ResidualBand(low, high) : null;
    }
}
