using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class PlannerTests
{
    private static readonly Device _ascend = DeviceCatalogue.TryGet(Devices.Ascend910B2, out var device) ? device : throw new InvalidOperationException();

    [Fact]
    public void Any_accepted_deployment_is_planned_proved_and_runs_and_its_plans_read_back() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        if (!MemoryFit.Of(deployment, _ascend.MemoryBytes).Fits)
            return;
        var plans = Planner.Plan(deployment, _ascend);
        var text = PlanText.Write(plans);
        PlanSet.Parse(text).ShouldBe(plans);
        PlanText.Write(Planner.Plan(deployment, _ascend)).ShouldBe(text);
        var plan = plans.Steps[0].Plan;
        foreach (var context in plan.CheckedContexts())
            Run(plan, context).ShouldBeGreaterThan(0);
    }).Check(RandomDeployments.Runs(60));

    [Fact]
    public void The_times_of_the_report_are_runs_of_the_executor_to_the_picosecond() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        if (!MemoryFit.Of(deployment, _ascend.MemoryBytes).Fits)
            return;
        var (plan, report) = Planner.Plan(deployment, _ascend).Steps[0];
        Run(plan, plan.Step.MaxContext).ShouldBe(report.StepPicoseconds);
        Run(plan.WithoutPrefetch(), plan.Step.MaxContext).ShouldBe(report.BasePicoseconds);
        report.BoundPicoseconds.ShouldBeLessThanOrEqualTo(Math.Min(report.BasePicoseconds, report.StepPicoseconds));
        foreach (var window in report.Windows)
            window.HiddenPicoseconds.ShouldBeLessThanOrEqualTo(window.WindowPicoseconds);
    }).Check(RandomDeployments.Runs(60));

    [Fact]
    public void On_calibrated_devices_too_times_are_runs_and_the_bound_is_one() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        foreach (var id in new[] { Devices.A100Sxm80, Devices.H100, Devices.H200, Devices.B200 })
        {
            var on = deployment with { Device = id };
            DeviceCatalogue.TryGet(id, out var device).ShouldBeTrue();
            if (!MemoryFit.Of(on, device!.MemoryBytes).Fits)
                continue;
            var (plan, report) = Planner.Plan(on, device).Steps[0];
            new Executor(new SimulatedBackend(device)).RunAsync(plan, plan.Step.MaxContext).AsTask().GetAwaiter().GetResult().Picoseconds.ShouldBe(report.StepPicoseconds);
            report.BoundPicoseconds.ShouldBeLessThanOrEqualTo(Math.Min(report.BasePicoseconds, report.StepPicoseconds));
        }
    }).Check(RandomDeployments.Runs(40));

    [Fact]
    public void What_does_not_fit_is_refused_with_both_sizes()
    {
        var error = Should.Throw<ArgumentException>(() => Planner.Plan(Specs.Deploy(Specs.Llama3_70B, 1, Specs.Decode(4, 16_384), Precision.Bf16), _ascend));
        error.Message.ShouldContain("64000000000");
    }

    [Fact]
    public void Removing_a_windows_prefetch_grows_the_step_by_what_the_report_says_it_saves()
    {
        var (plan, report) = Planner.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384)), _ascend).Steps[0];
        var window = report.Windows.First(w => w.Host == "down_reduce" && w.FirstLayer == 0);
        var without = plan.WithoutPrefetch(i => i.Label == "under_down_reduce" && i.Reads.All(r => r.Layer.Kind == LayerIndexKind.Relative));
        (Run(without, 16_384) - report.StepPicoseconds).ShouldBe(window.SavedPicoseconds);
    }

    [Theory]
    [InlineData(4, 16_384)]
    [InlineData(64, 4_096)]
    public async Task Windows_take_what_they_take_in_their_last_layer_of_the_whole_run(int batch, int context)
    {
        var (plan, report) = Planner.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(batch, context)), _ascend).Steps[0];
        var backend = new SimulatedBackend(_ascend, new SimulationOptions { RecordTimeline = true });
        var timeline = (await new Executor(backend).RunAsync(plan, context)).Timeline;
        foreach (var window in report.Windows.Where(w => w.FirstLayer >= 0))
        {
            var run = timeline.Where(r => r.Label == window.Host).ElementAt(window.LastLayer);
            (run.EndPicoseconds - run.StartPicoseconds).ShouldBe(window.WindowPicoseconds, window.Host);
        }
    }

    private static long Run(ExecutionPlan plan, int context)
    {
        var run = new Executor(new SimulatedBackend(_ascend)).RunAsync(plan, context);
        run.IsCompleted.ShouldBeTrue();
        return run.GetAwaiter().GetResult().Picoseconds;
    }

    [Fact]
    public void A_bias_is_added_to_the_sum_over_the_ranks_and_not_to_each_summand()
    {
        var plan = Specs.Plan(Specs.Deploy(Specs.Opt13B, 2, Specs.Decode(4, 1024)));
        var instructions = plan.Instructions().ToList();
        var summands = instructions.Where(i => i.Operation is CollectiveOperation { Kind: CollectiveKind.AllReduce }).Select(i => i.Reads[0].Tensor).ToHashSet();
        instructions.Where(i => i.Writes.Any(w => summands.Contains(w.Tensor))).SelectMany(i => i.Reads).ShouldNotContain(r => r.Tensor.EndsWith("_bias"));
        instructions.Where(i => i.Label == "attn_add").ShouldAllBe(i => i.Reads.Any(r => r.Tensor == "out_bias"));
        instructions.Where(i => i.Label == "mlp_add").ShouldAllBe(i => i.Reads.Any(r => r.Tensor == "down_bias"));
    }
}
