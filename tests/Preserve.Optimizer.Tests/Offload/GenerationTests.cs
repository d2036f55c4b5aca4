namespace Preserve.Optimizer.Tests;

public class GenerationTests
{
    private static readonly Device _device = DeviceCatalogue.TryGet(Devices.A100Sxm40, out var device) ? device : throw new InvalidOperationException();
    private static readonly DeploymentSpec _deployment = HostCaches.Of(Specs.Opt13B, new PrefillSpec(16, 128)) with
    {
        Steps = new StepSpec[] { new PrefillSpec(16, 128), new DecodeSpec(16, 158, Total: false, Prompt: 128) },
    };

    [Fact]
    public async Task A_generation_is_a_prefill_and_a_step_for_each_further_token_at_its_own_length()
    {
        var plans = Planner.Plan(_deployment, _device);
        var executor = new Executor(new SimulatedBackend(_device));
        var run = await GenerationRun.RunAsync(executor, plans.ForPrefill(16, 128), plans.ForDecode(16, 128), tokens: 32);
        run.Decode.Count.ShouldBe(31);
        run.Prefill.Picoseconds.ShouldBe((await executor.RunAsync(plans.ForPrefill(16, 128), 0)).Picoseconds);
        for (var i = 0; i < 31; i += 10)
            run.Decode[i].Picoseconds.ShouldBe((await executor.RunAsync(plans.ForDecode(16, 128), 128 + i)).Picoseconds);
        run.Picoseconds.ShouldBe(run.Prefill.Picoseconds + run.Decode.Sum(s => s.Picoseconds));
        run.TokensPerSecond.ShouldBe(16 * 32 / (run.Picoseconds / 1e12), 1e-9);
        foreach (var step in run.Decode)
        {
            step.CopyToDevicePicoseconds.ShouldBeInRange(1, step.Picoseconds);
            step.KernelPicoseconds.ShouldBeInRange(1, step.Picoseconds);
            step.CopyExposedPicoseconds.ShouldBeInRange(0, step.CopyToDevicePicoseconds + step.CopyToHostPicoseconds);
            // A copy is hidden or exposed at any moment, and both directions may be under way at once.
            (step.CopyExposedPicoseconds + step.CopyHiddenPicoseconds).ShouldBeInRange(Math.Max(step.CopyToDevicePicoseconds, step.CopyToHostPicoseconds), step.CopyToDevicePicoseconds + step.CopyToHostPicoseconds);
            step.CollectivePicoseconds.ShouldBe(0);
            // Without collectives, what is not a kernel's time and no copy's is fixed costs of events.
            (step.KernelPicoseconds + step.CopyExposedPicoseconds).ShouldBeLessThanOrEqualTo(step.Picoseconds);
        }
    }

    [Fact]
    public async Task Each_resource_is_busy_for_a_part_of_the_whole_generation()
    {
        var deployment = _deployment with { TensorParallel = 2 };
        var plans = Planner.Plan(deployment, _device);
        var run = await GenerationRun.RunAsync(new Executor(new SimulatedBackend(_device)), plans.ForPrefill(16, 128), plans.ForDecode(16, 128), tokens: 8);
        foreach (var of in new Func<StepRun, long>[] { s => s.KernelPicoseconds, s => s.HbmBusyPicoseconds, s => s.CollectivePicoseconds, s => s.CopyToDevicePicoseconds, s => s.CopyToHostPicoseconds })
        {
            run.Share(of).ShouldBeInRange(1e-6, 1);
            run.Share(of).ShouldBe(((double)of(run.Prefill) / run.Picoseconds) + (run.DecodeShare(of) * run.DecodePicoseconds / run.Picoseconds), 1e-12);
        }
        run.Decode[0].CollectivePicoseconds.ShouldBeGreaterThanOrEqualTo(run.Decode[0].CollectiveExposedPicoseconds);
    }

    [Fact]
    public async Task What_skipped_iterations_add_is_what_recorded_ones_do()
    {
        var plan = Planner.PlanStep(_deployment, _deployment.Steps[1], _device);
        var skipped = await new Executor(new SimulatedBackend(_device)).RunAsync(plan, 140);
        var recorded = await new Executor(new SimulatedBackend(_device, new SimulationOptions { RecordTimeline = true })).RunAsync(plan, 140);
        (skipped.Picoseconds, skipped.KernelPicoseconds, skipped.CopyToDevicePicoseconds, skipped.CopyToHostPicoseconds, skipped.CopyExposedPicoseconds)
            .ShouldBe((recorded.Picoseconds, recorded.KernelPicoseconds, recorded.CopyToDevicePicoseconds, recorded.CopyToHostPicoseconds, recorded.CopyExposedPicoseconds));
        (skipped.CopyHiddenPicoseconds, skipped.CollectivePicoseconds).ShouldBe((recorded.CopyHiddenPicoseconds, recorded.CollectivePicoseconds));
        recorded.Timeline.Where(r => r.Stream == StreamKind.Compute).Sum(r => r.EndPicoseconds - r.StartPicoseconds).ShouldBe(recorded.KernelPicoseconds);
        recorded.Timeline.Where(r => r.Stream == StreamKind.HostToDevice).Sum(r => r.EndPicoseconds - r.StartPicoseconds).ShouldBe(recorded.CopyToDevicePicoseconds);
    }

    [Fact]
    public async Task Plans_that_are_not_of_one_generation_are_refused()
    {
        var plans = Planner.Plan(_deployment, _device);
        var executor = new Executor(new SimulatedBackend(_device));
        var (prefill, decode) = (plans.ForPrefill(16, 128), plans.ForDecode(16, 128));
        await Should.ThrowAsync<ArgumentException>(async () => await GenerationRun.RunAsync(executor, decode, decode, 8));
        await Should.ThrowAsync<ArgumentException>(async () => await GenerationRun.RunAsync(executor, prefill, prefill, 8));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await GenerationRun.RunAsync(executor, prefill, decode, 0));
        var transferring = Planner.Plan(_deployment with { Offload = _deployment.Offload with { Recompute = RecomputePolicy.None } }, _device);
        (await Should.ThrowAsync<ArgumentException>(async () => await GenerationRun.RunAsync(executor, transferring.ForPrefill(16, 128), decode, 8)))
            .Message.ShouldContain("which the prefill does not store");
        (await GenerationRun.RunAsync(executor, prefill, transferring.ForDecode(16, 128), 8)).Decode.Count.ShouldBe(7);
        await Should.ThrowAsync<ArgumentException>(async () => await GenerationRun.RunAsync(executor, prefill with { Device = "h100-sxm" }, decode, 8));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await GenerationRun.RunAsync(executor, prefill, decode, 40));
        var onDevice = Planner.Plan(_deployment with { Offload = OffloadSpec.None }, _device);
        (await Should.ThrowAsync<ArgumentException>(async () => await GenerationRun.RunAsync(executor, onDevice.ForPrefill(16, 128), transferring.ForDecode(16, 128), 8)))
            .Message.ShouldContain("the cache 'kv' of the prefill is none of the decode step");
        var shorter = Planner.PlanStep(_deployment with { Offload = _deployment.Offload with { Recompute = RecomputePolicy.None } }, new PrefillSpec(16, 64), _device);
        (await Should.ThrowAsync<ArgumentException>(async () => await GenerationRun.RunAsync(executor, shorter, transferring.ForDecode(16, 128), 8)))
            .Message.ShouldContain("the prefill has 64 tokens, and the decode plan serves from 128 on");
    }

    [Fact]
    public void A_plans_footprint_is_the_arithmetic_of_its_tensors()
    {
        var step = _deployment.Steps[1];
        var onDevice = _deployment with { Offload = OffloadSpec.None };
        var (weights, cache) = (new RankSizes(onDevice).WeightBytes(), new RankSizes(onDevice).KeyValueBytes(step));
        var plan = Planner.PlanStep(onDevice, step, _device);
        PlanFootprint.Of(plan, 158).ShouldBe(new PlanFootprint(weights + cache + plan.ArenaBytes, 0));

        var hosted = Planner.PlanStep(_deployment, step, _device);
        var activations = hosted.Tensors.Single(t => t.Role == TensorRole.Activations).Bytes.At(158) * 40;
        activations.ShouldBeGreaterThan(0);
        PlanFootprint.Of(hosted, 158).ShouldBe(new PlanFootprint(weights + hosted.ArenaBytes, cache + activations));
    }
}
