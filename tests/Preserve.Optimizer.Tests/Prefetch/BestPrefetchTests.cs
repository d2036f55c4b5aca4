using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class BestPrefetchTests
{
    private static readonly Device[] _devices = [.. new[] { Devices.H100, Devices.A100Sxm80, Devices.Ascend910B2, Devices.H200, Devices.L40S }.Select(Get)];

    [Fact]
    public void On_random_deployments_what_is_emitted_is_never_slower_than_the_base_or_the_published_plan_and_never_faster_than_the_bound() =>
        Prop.ForAll(Cases(), c =>
        {
            var (deployment, laws) = c;
            var step = deployment.Steps[0];
            var times = new PlanTimes(laws, default);
            var published = Specs.Plan(deployment with { Prefetch = PrefetchPolicy.Paper }, laws.Device.PrefetchRoomBytes);
            var basePlan = published.WithoutPrefetch();
            var context = step.MaxContext;

            var chosen = new BestPrefetch(deployment, step, laws, default) { GuardOff = true }.Plan();
            times.Of(chosen.Plan, context).ShouldBeLessThanOrEqualTo(Math.Min(times.Of(basePlan, context), PublishedOrBase(published, basePlan, times, step)));
            PlanVerifier.Verify(chosen.Plan).ShouldBeEmpty(PlanText.Write(chosen.Plan));

            var emitted = new BestPrefetch(deployment, step, laws, default).Plan();
            foreach (var any in new[] { step.MinContext, (step.MinContext + context) / 2, context })
                times.Of(emitted.Plan, any).ShouldBeLessThanOrEqualTo(times.Of(basePlan, any));
            PlanVerifier.Verify(emitted.Plan).ShouldBeEmpty();
            LowerBound.Of(emitted.Plan, context, laws).Picoseconds.ShouldBeLessThanOrEqualTo(times.Of(emitted.Plan, context));
            return true;
        }).Check(RandomDeployments.Runs(60));

    [Fact]
    public void On_instances_small_enough_to_try_every_choice_the_search_is_within_one_percent_of_the_best() =>
        // Quarters here; the benchmark project tries eighths on 500 instances.
        Prop.ForAll(Arb.From(PrefetchInstances.Generator), c =>
        {
            var step = c.Deployment.Steps[0];
            var least = ExhaustivePrefetch.Least(c.Deployment, c.Laws, shares: 4).Picoseconds;
            var chosen = new BestPrefetch(c.Deployment, step, c.Laws, default) { GuardOff = true }.Plan();
            var time = new PlanTimes(c.Laws, default).Of(chosen.Plan, step.MaxContext);
            ((double)time).ShouldBeLessThanOrEqualTo(1.01 * least);
            LowerBound.Of(chosen.Plan, step.MaxContext, c.Laws).Picoseconds.ShouldBeLessThanOrEqualTo(least);
            return true;
        }).Check(RandomDeployments.Runs(30));

    [Fact]
    public void Verdicts_account_for_every_byte_of_every_candidate() =>
        Prop.ForAll(Cases(), c =>
        {
            var (deployment, laws) = c;
            var draft = new BestPrefetch(deployment, deployment.Steps[0], laws, default) { GuardOff = true }.Plan();
            var report = new ReportBuilder(deployment, draft, laws, default).Build();
            foreach (var candidate in report.Windows.SelectMany(w => w.Candidates))
            {
                candidate.PrefetchedBytes.ShouldBeInRange(0, candidate.Bytes);
                (candidate.Verdict is Verdict.Whole or Verdict.Part).ShouldBe(candidate.PrefetchedBytes > 0 || candidate.Reason.StartsWith("all of it", StringComparison.Ordinal), candidate.ToString());
                if (candidate.PrefetchedBytes == candidate.Bytes)
                    candidate.Verdict.ShouldBe(Verdict.Whole);
                candidate.Reason.ShouldNotBeEmpty();
            }
            return true;
        }).Check(RandomDeployments.Runs(25));

    [Fact]
    public void On_eight_H100_a_70B_step_gains_what_measured_tables_support()
    {
        // 7 to 8 % are expected at batch 64 and 4096 tokens in bf16 (docs/prefetch.md says from what); the published rule gets 2 %.
        var deployment = Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(64, 4096), Precision.Bf16, PrefetchPolicy.Best, Devices.H100);
        var (_, report) = Planner.Plan(deployment, Get(Devices.H100)).Steps[0];
        ((double)report.BasePicoseconds / report.StepPicoseconds).ShouldBeInRange(1.06, 1.09);
        report.Guard!.Outcome.ShouldBe(GuardOutcome.Kept);
        report.GainAtHalfPicoseconds.ShouldBeGreaterThan(0);
        report.GainAtTwicePicoseconds.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_prefill_bound_by_compute_prefetches_nothing_of_its_weights_and_says_why()
    {
        var deployment = Specs.Deploy(Specs.Llama3_70B, 8, new PrefillSpec(4, 4096), Precision.Bf16, PrefetchPolicy.Best, Devices.H100);
        var (plan, report) = Planner.Plan(deployment, Get(Devices.H100)).Steps[0];
        plan.Instructions().SelectMany(i => i.Operation is PrefetchOperation ? i.Reads : default).ShouldNotContain(r => r.Tensor == "gate_up_weight");
        report.Windows.SelectMany(w => w.Candidates).Where(c => c.Tensor.Tensor == "gate_up_weight").ShouldAllBe(c => c.Verdict == Verdict.ComputeBound);
    }

    [Fact]
    public void A_device_without_measurements_is_judged_by_the_model_alone_and_the_plan_says_so()
    {
        var (_, report) = Planner.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384), prefetch: PrefetchPolicy.Best), Get(Devices.Ascend910B2)).Steps[0];
        report.Guard.ShouldBe(new GuardReport(GuardOutcome.Nominal, null, null));
    }

    [Fact]
    public void An_unknown_L2_prefetches_nothing() =>
        Planner.Plan(Specs.Deploy(Specs.Llama3_8B, 2, Specs.Decode(4, 4096), prefetch: PrefetchPolicy.Best, device: Devices.TpuV4), Get(Devices.TpuV4))
            .Steps[0].Plan.Instructions().ShouldNotContain(i => i.Operation is PrefetchOperation);

    [Fact]
    public void The_same_input_gives_the_same_plan() =>
        PlanText.Write(Planner.Plan(Llama(), Get(Devices.H100))).ShouldBe(PlanText.Write(Planner.Plan(Llama(), Get(Devices.H100))));

    /// <summary>The search may not take the published choice where it is slower than the base plan at a smaller context.</summary>
    private static long PublishedOrBase(ExecutionPlan published, ExecutionPlan basePlan, PlanTimes times, StepSpec step)
    {
        var harms = new[] { step.MinContext, step.MinContext + ((step.MaxContext - step.MinContext) / 4), step.MinContext + ((step.MaxContext - step.MinContext) / 2) }
            .Any(c => times.Of(published, c) > times.Of(basePlan, c));
        return harms ? long.MaxValue : times.Of(published, step.MaxContext);
    }

    private static DeploymentSpec Llama() => Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(64, 4096), Precision.Bf16, PrefetchPolicy.Best, Devices.H100);

    private static Arbitrary<(DeploymentSpec, ICostLaws)> Cases() => Arb.From(
        from deployment in RandomDeployments.Generator(maxRepeat: 12)
        from device in Gen.Elements(_devices)
        from share in Gen.Elements(0.1, 0.5, 1)
        select (deployment with { Prefetch = PrefetchPolicy.Best, Device = device.Id }, CostLaws.For(WithL2(device, share))));

    private static Device WithL2(Device device, double share) => device with
    {
        L2 = device.L2 with { CapacityMebibytes = device.L2.CapacityMebibytes * share, UsableMebibytes = device.L2.UsableMebibytes * share },
    };

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device! : throw new InvalidOperationException(id);
}
