using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class SplitPlannerTests
{
    [Fact]
    public void Any_deployment_with_its_cache_on_the_host_is_planned_and_proved_and_its_plans_read_back() => Prop.ForAll(Arb.From(HostCaches.Generator(maxRepeat: 30)), deployment =>
    {
        DeviceCatalogue.TryGet(deployment.Device, out var device).ShouldBeTrue();
        DeploymentRules.Check(deployment, modelIsSound: true).ShouldBeEmpty();
        if (!MemoryFit.Of(deployment, device!.MemoryBytes).Fits)
            return;
        var plans = Planner.Plan(deployment, device);
        PlanSet.Parse(PlanText.Write(plans)).ShouldBe(plans);
        var (plan, report) = plans.Steps[0];
        Run(device, plan, plan.Step.MaxContext).ShouldBe(report.StepPicoseconds);
        report.BoundPicoseconds.ShouldBeLessThanOrEqualTo(Math.Min(report.BasePicoseconds, report.StepPicoseconds));
    }).Check(RandomDeployments.Runs(60));

    private static long Run(Device device, ExecutionPlan plan, int context) =>
        new Executor(new SimulatedBackend(device)).RunAsync(plan, context).AsTask().GetAwaiter().GetResult().Picoseconds;
}
