using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>What a prefill stores for the decode steps that recompute, and what it loses by it.</summary>
public class PrefillLossTests
{
    [Fact]
    public void A_prefill_stores_what_the_declared_decode_steps_recompute_at_most()
    {
        var deployment = HostCaches.Of(Specs.Opt13B, new PrefillSpec(64, 128)) with
        {
            Steps = new StepSpec[] { new PrefillSpec(64, 128), new DecodeSpec(64, 158, Total: false, Prompt: 128), new DecodeSpec(64, 254, Total: false, Prompt: 128) },
        };
        var plans = Planner.Plan(deployment, DeviceOf(Devices.A100Sxm40));
        var stored = plans.Steps[0].Plan.Tensors.Single(t => t.Role == TensorRole.Activations).Units.At(0);
        plans.Steps.Skip(1).Max(s => s.Report.Split!.RecomputedTokens).ShouldBe((int)stored);
        plans.Steps[1].Plan.Tensors.Single(t => t.Role == TensorRole.Activations).Units.At(0).ShouldBeLessThanOrEqualTo(stored);
    }

    /// <summary>Prefills that the host link holds up: with all that the first step would recompute from they took up to half as long again.</summary>
    [Theory]
    [InlineData("6.7B", Devices.B200, 4, 2000, 2, 1, 1)]
    [InlineData("13B", Devices.H200, 16, 256, 2, 8, 2)]
    [InlineData("6.7B", Devices.B200, 4, 2000, 40, 1, 1)]
    public void A_generation_is_no_slower_than_one_that_transfers_everything_its_prefill_included(string model, string id, int batch, int prompt, int tokens, int ranks, int batches)
    {
        var step = new DecodeSpec(batch, prompt + tokens - 2, Total: false, prompt);
        var deployment = Generation(HostCaches.Of(model == "13B" ? Specs.Opt13B : Specs.Opt6B, step, id, ranks));
        if (batches > 1)
            deployment = deployment with { Offload = deployment.Offload with { Weights = Home.Host, Objective = Objective.Throughput, BatchesPerLayer = batches } };
        var (time, transferred) = Generated(deployment);
        time.ShouldBeLessThanOrEqualTo(transferred);
        // A step alone, which no prefill was declared for, is still the faster with a part recomputed, and says what is stored for it.
        var alone = deployment with { Steps = new StepSpec[] { step } };
        var split = Planner.Plan(alone, DeviceOf(id)).Steps[0].Report.Split!;
        split.RecomputedTokens.ShouldBeGreaterThan(0);
        var bytes = (long)split.RecomputedTokens * split.ActivationBytes * batches * deployment.Model.Stack[0].Repeat;
        if (ranks == 1)
            split.Reason.ShouldEndWith($"; a prefill stores {bytes.ToString("#,0", System.Globalization.CultureInfo.InvariantCulture)} bytes of activations for it");
    }

    [Fact]
    public void What_a_prefill_loses_is_said_and_decides_whether_its_few_steps_are_worth_it()
    {
        Reason(2).ShouldMatch("^storing [0-9,]+ bytes of activations takes the prefill [0-9.]+ ms longer, and the decode steps gain [0-9.]+ ms$");
        Reason(128).ShouldMatch("recomputing can pay; .*; storing [0-9,]+ bytes of activations takes the prefill [0-9.]+ ms longer$");

        static string Reason(int tokens) => Planner.Plan(
            Generation(HostCaches.Of(Specs.Opt6B, new DecodeSpec(4, 2000 + tokens - 2, Total: false, 2000), Devices.B200)), DeviceOf(Devices.B200)).Steps[1].Report.Split!.Reason;
    }

    [Fact]
    public void Any_generation_is_no_slower_than_one_that_transfers_everything()
    {
        var splits = 0;
        Prop.ForAll(Arb.From(HostCaches.Generations(maxRepeat: 6)), deployment =>
        {
            var device = DeviceOf(deployment.Device);
            if (!MemoryFit.Of(deployment, device.MemoryBytes).Fits)
                return;
            var (time, transferred) = Generated(deployment);
            time.ShouldBeLessThanOrEqualTo(transferred);
            splits += time < transferred ? 1 : 0;
        }).Check(RandomDeployments.Runs(40));
        splits.ShouldBeGreaterThan(1);
    }

    /// <summary>A prefill and the decode step of a deployment.</summary>
    private static DeploymentSpec Generation(DeploymentSpec deployment)
    {
        var step = (DecodeSpec)deployment.Steps[0];
        return deployment with { Steps = new StepSpec[] { new PrefillSpec(step.Batch, step.Prompt), step } };
    }

    /// <summary>The time of a generation of all lengths of its decode step, and of the same with everything transferred.</summary>
    private static (long Time, long Transferred) Generated(DeploymentSpec deployment)
    {
        var device = DeviceOf(deployment.Device);
        var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
        return (Total(deployment), Total(deployment with { Offload = deployment.Offload with { Recompute = RecomputePolicy.None } }));

        long Total(DeploymentSpec generation)
        {
            var plans = Planner.Plan(generation, device);
            var decode = plans.Steps[1].Plan;
            return times.Of(plans.Steps[0].Plan, 0) + Enumerable.Range(decode.Step.MinContext, decode.Step.MaxContext - decode.Step.MinContext + 1).Sum(c => times.Of(decode, c));
        }
    }

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new ArgumentException(id);
}
