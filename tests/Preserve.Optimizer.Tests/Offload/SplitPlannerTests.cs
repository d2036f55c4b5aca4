using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class SplitPlannerTests
{
    [Fact]
    public void Any_deployment_with_its_cache_on_the_host_is_planned_and_proved_and_is_never_slower_than_transferring_everything()
    {
        var splits = 0;
        Prop.ForAll(Arb.From(HostCaches.Generator(maxRepeat: 30)), deployment =>
        {
            var device = DeviceOf(deployment.Device);
            DeploymentRules.Check(deployment, modelIsSound: true).ShouldBeEmpty();
            if (!MemoryFit.Of(deployment, device.MemoryBytes).Fits)
                return;
            var plans = Planner.Plan(deployment, device);
            PlanSet.Parse(PlanText.Write(plans)).ShouldBe(plans);
            var (plan, report) = plans.Steps[0];
            Run(device, plan, plan.Step.MaxContext).ShouldBe(report.StepPicoseconds);
            report.BoundPicoseconds.ShouldBeLessThanOrEqualTo(Math.Min(report.BasePicoseconds, report.StepPicoseconds));
            if (plan.Step is PrefillSpec)
                return;

            var whole = Whole(deployment, deployment.Prefetch);
            Run(device, Planner.PlanStep(deployment with { Prefetch = PrefetchPolicy.None, Offload = deployment.Offload with { Recompute = RecomputePolicy.None } }, plan.Step, device), plan.Step.MaxContext)
                .ShouldBe(report.BasePicoseconds);
            if (report.Split!.RecomputedTokens == 0)
            {
                plan.ShouldBe(whole);
                return;
            }
            splits++;
            var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
            if (deployment.Prefetch == PrefetchPolicy.Best)
            {
                var split = SplitAlone(deployment);
                // Neither of both, alone, may be without loss to the other: prefetches are then kept.
                if (new ContextCheck(whole, times).Losses(split).Count == 0)
                    new ContextCheck(split, times).Losses(plan).ShouldBeEmpty();
            }
            var contexts = Enumerable.Range(0, 9).Select(i => plan.Step.MinContext + (int)((long)(plan.Step.MaxContext - plan.Step.MinContext) * i / 8)).Distinct();
            foreach (var context in contexts)
            {
                var (time, transferred) = (Run(device, plan, context), Run(device, whole, context));
                time.ShouldBeLessThanOrEqualTo(transferred);
                // What is prefetched may differ between the two plans.
                if (plan.RecomputedTokens(context) == 0 && deployment.Prefetch == PrefetchPolicy.None)
                    time.ShouldBe(transferred);
            }
        }).Check(RandomDeployments.Runs(40));
        splits.ShouldBeGreaterThan(2);
    }

    [Fact]
    public void The_arena_of_a_step_that_transfers_everything_is_never_larger_than_the_arithmetic_allows() => Prop.ForAll(Arb.From(HostCaches.Generator(maxRepeat: 8)), deployment =>
    {
        var plan = Specs.Plan(deployment);
        var fit = MemoryFit.Of(deployment, availableBytes: long.MaxValue);
        fit.ActivationBytes.ShouldBeGreaterThanOrEqualTo(plan.ArenaBytes);
        fit.KeyValueBytes.ShouldBe(0);
        return true;
    }).Check(RandomDeployments.Runs(100));

    [Fact]
    public void Opt_13B_gains_at_every_length_of_a_generation_and_its_split_never_shrinks()
    {
        var device = DeviceOf(Devices.A100Sxm40);
        var step = new DecodeSpec(64, 254, Total: false, Prompt: 128);
        var deployment = HostCaches.Of(Specs.Opt13B, step);
        var (plan, report) = Planner.Plan(deployment, device).Steps[0];
        report.Split!.Outcome.ShouldBeOneOf(SplitOutcome.Pipelined, SplitOutcome.Between);
        report.StepPicoseconds.ShouldBeLessThan(report.BasePicoseconds * 9 / 10);
        plan.ArenaBytes.ShouldBeLessThan(device.MemoryBytes - report.WeightBytes);
        var whole = Whole(deployment, PrefetchPolicy.None);
        var tokens = ((RecomputeOperation)plan.Instructions().First(i => i.Operation is RecomputeOperation).Operation).Tokens;
        for (var context = 128; context <= 254; context++)
        {
            Run(device, plan, context).ShouldBeLessThan(Run(device, whole, context));
            tokens.At(context).ShouldBeInRange(tokens.At(context - 1), 128);
        }
    }

    [Theory]
    [InlineData(16, 1000, 1998)]
    [InlineData(64, 512, 638)]
    public void A_plan_for_a_whole_generation_is_hardly_slower_at_one_length_than_with_the_best_split_of_that_length_alone(int batch, int prompt, int last)
    {
        var device = DeviceOf(Devices.A100Sxm40);
        var step = new DecodeSpec(batch, last, Total: false, prompt);
        var deployment = HostCaches.Of(Specs.Opt13B, step);
        var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
        var constants = Enumerable.Range(1, 64).Select(i => Split(deployment, step, prompt * i / 64)).ToList();
        var generation = Planner.PlanStep(deployment, step, device);
        foreach (var context in Enumerable.Range(0, 33).Select(i => prompt + ((last - prompt) * i / 32)))
            times.Of(generation, context).ShouldBeLessThanOrEqualTo(constants.Min(p => times.Of(p, context)) * 201 / 200, $"at {context}");
    }

    [Fact]
    public void At_no_length_of_a_long_generation_is_a_plan_slower_than_transferring_everything_and_hardly_than_with_the_best_split_of_each_length()
    {
        var found = new List<SplitOverLengths>();
        Prop.ForAll(Arb.From(HostCaches.LongGenerations()), c =>
        {
            if (SplitOverLengths.Of(c.Deployment, c.Device) is { } split)
                found.Add(split);
        }).Check(RandomDeployments.Runs(8));
        found.Count.ShouldBeGreaterThan(4);
        found.ShouldAllBe(s => s.SlowerLengths == 0);
        var following = found.FindAll(s => !s.Gathers);
        following.Average(s => s.OverBest).ShouldBeLessThanOrEqualTo(0.01);
        following.ShouldAllBe(s => s.OverBest < 0.06 && s.MostOverBest < 0.09);
    }

    [Theory]
    [InlineData(Devices.A100Sxm40, 1, 512, 2000)]
    [InlineData(Devices.A100Sxm40, 4, 64, 600)]
    [InlineData(Devices.H100, 2, 128, 2000)]
    [InlineData(Devices.L40S, 1, 128, 2000)]
    public void Where_a_step_waits_for_the_link_only_with_much_cached_it_recomputes_only_there(string id, int batch, int prompt, int last)
    {
        var device = DeviceOf(id);
        var step = new DecodeSpec(batch, last, Total: false, prompt);
        var deployment = HostCaches.Of(Specs.Opt13B, step, id);
        var (plan, report) = Planner.Plan(deployment, device).Steps[0];
        report.Split!.RecomputedTokens.ShouldBeGreaterThan(0);
        report.StepPicoseconds.ShouldBeLessThan(report.BasePicoseconds);
        var whole = Whole(deployment, PrefetchPolicy.None);
        var contexts = Enumerable.Range(0, 13).Select(i => prompt + ((last - prompt) * i / 12)).ToList();
        // What is not recomputed costs nothing, to the picosecond.
        var without = contexts.Where(c => plan.RecomputedTokens(c) == 0).ToList();
        without.ShouldNotBeEmpty();
        foreach (var context in without)
            Run(device, plan, context).ShouldBe(Run(device, whole, context));
        foreach (var context in contexts.Except(without))
            Run(device, plan, context).ShouldBeLessThan(Run(device, whole, context));
    }

    [Fact]
    public void Where_activations_are_not_smaller_than_the_keys_and_values_they_make_nothing_is_recomputed_and_both_sizes_are_said()
    {
        // Llama-3-8B: 4096 elements of a token's activations, 2 x 8 x 128 of its keys and values, each in 16 sequences and 2 bytes.
        var step = new DecodeSpec(16, 2000, Total: false, Prompt: 1500);
        var report = Planner.Plan(HostCaches.Of(Specs.Llama3_8B, step), DeviceOf(Devices.A100Sxm40)).Steps[0].Report;
        report.Split.ShouldBe(new SplitReport(SplitOutcome.CannotPay, 0, 131_072, 65_536,
            "a token's activations are 8,192 bytes, the keys and values that they make 4,096: recomputing cannot pay"));
        report.StepPicoseconds.ShouldBe(report.BasePicoseconds);
    }

    /// <summary>A declared step may lack a prompt only where nothing is to be recomputed.</summary>
    [Theory]
    [InlineData(0, RecomputePolicy.None, "Recompute is RecomputePolicy.None")]
    [InlineData(100, RecomputePolicy.None, "Recompute is RecomputePolicy.None")]
    [InlineData(0, RecomputePolicy.Best, "without Prompt no activations are stored to recompute from")]
    public void Why_no_recomputation_was_asked_for_is_what_was_declared(int prompt, RecomputePolicy policy, string why)
    {
        var deployment = HostCaches.Of(Specs.Opt13B, new DecodeSpec(4, 254, Total: false, prompt));
        deployment = deployment with { Offload = deployment.Offload with { Recompute = policy } };
        (DeploymentRules.Check(deployment, modelIsSound: true).Count == 0).ShouldBe(policy == RecomputePolicy.None);
        var split = Planner.Plan(deployment, DeviceOf(Devices.A100Sxm40)).Steps[0].Report.Split!;
        (split.Outcome, split.Reason.Split(';')[0]).ShouldBe((SplitOutcome.NotAsked, why));
    }

    [Fact]
    public void Of_sequences_that_differ_in_length_nothing_can_be_recomputed()
    {
        var split = Planner.Plan(HostCaches.Of(HostCaches.Of(Specs.Opt13B, new DecodeSpec(4, 1000, Total: true)), RecomputePolicy.None), DeviceOf(Devices.A100Sxm40)).Steps[0].Report.Split!;
        (split.Outcome, split.Reason).ShouldBe((SplitOutcome.NotPossible, "of sequences that differ in length no prompt is known"));
    }

    [Theory]
    [InlineData(Precision.Bf16)]
    [InlineData(Precision.Fp8)]
    [InlineData(Precision.Int4)]
    public void The_plan_has_the_bytes_that_the_solver_weighs(Precision format)
    {
        var step = new DecodeSpec(64, 254, Total: false, Prompt: 128);
        var deployment = HostCaches.Of(Specs.Opt13B, step) with { KeyValues = format };
        deployment = deployment with { Offload = deployment.Offload with { StoredActivations = format } };
        var planned = Planner.Plan(deployment, DeviceOf(Devices.A100Sxm40)).Steps[0];
        planned.Report.Split!.RecomputedTokens.ShouldBeGreaterThan(0);
        planned.Plan.Tensors.Single(t => t.Role == TensorRole.KeyValues).UnitBytes.ShouldBe(planned.Report.Split!.KeyValueBytes);
        planned.Plan.Tensors.Single(t => t.Role == TensorRole.Activations).UnitBytes.ShouldBe(planned.Report.Split!.ActivationBytes);
        planned.Report.Split!.KeyValueBytes.ShouldBe(64 * 2 * 5120L * format.BitsOfGroup() / 32 / 8);
    }

    [Fact]
    public void A_4_bit_cache_is_cheaper_to_transfer_than_16_bit_activations()
    {
        var step = new DecodeSpec(64, 254, Total: false, Prompt: 128);
        var deployment = HostCaches.Of(Specs.Opt13B, step) with { KeyValues = Precision.Int4 };
        Planner.Plan(deployment, DeviceOf(Devices.A100Sxm40)).Steps[0].Report.Split!.Outcome.ShouldBe(SplitOutcome.CannotPay);
    }

    [Fact]
    public void With_tensor_parallelism_it_is_at_least_as_fast_as_either_alone()
    {
        var device = DeviceOf(Devices.A100Sxm40);
        var step = new DecodeSpec(32, 600, Total: false, Prompt: 512);
        var both = HostCaches.Of(Specs.Opt13B, step, ranks: 2, prefetch: PrefetchPolicy.Best);
        var (plan, report) = Planner.Plan(both, device).Steps[0];
        var time = report.StepPicoseconds;
        report.Split!.RecomputedTokens.ShouldBeGreaterThan(0);
        plan.Instructions().ShouldContain(i => i.Operation is PrefetchOperation);
        var splitAlone = Planner.PlanStep(both with { Prefetch = PrefetchPolicy.None }, step, device);
        time.ShouldBeLessThanOrEqualTo(Run(device, splitAlone, 600));
        time.ShouldBeLessThanOrEqualTo(Run(device, Whole(both, PrefetchPolicy.Best), 600));
    }

    public static TheoryData<string> BesidePrefetches { get; } = ["two layers on L40S", "four layers on two L40S", "24 layers on L40S", "4-bit activations on Ascend 910B2"];

    /// <summary>Deployments with a cache on the host that prefetch too, of which both together, chosen for the largest context, were slower at others. Of the 24 layers
    /// either alone is faster than the other at some contexts.</summary>
    [Theory]
    [MemberData(nameof(BesidePrefetches))]
    public void Both_together_are_at_no_context_slower_than_either_alone(string name)
    {
        var deployment = name switch
        {
            "two layers on L40S" => Small(2, new DecodeSpec(32, 464, Total: false, Prompt: 64), Devices.L40S, 1),
            "four layers on two L40S" => Small(4, new DecodeSpec(32, 464, Total: false, Prompt: 64), Devices.L40S, 2),
            "24 layers on L40S" => Small(24, new DecodeSpec(16, 400, Total: false, Prompt: 32), Devices.L40S, 1),
            _ => HostCaches.Of(
                Specs.Model("Grouped", 1024, 32_000, Specs.Group(8, Specs.Layer("DecoderLayer", 8, 4, 128, 4096))),
                new DecodeSpec(16, 94, Total: false, Prompt: 64), Devices.Ascend910B2, prefetch: PrefetchPolicy.Best),
        };
        if (name.StartsWith("4-bit", StringComparison.Ordinal))
            deployment = deployment with { Offload = deployment.Offload with { StoredActivations = Precision.Int4 } };
        var device = DeviceOf(deployment.Device);
        var step = (DecodeSpec)deployment.Steps[0];
        var plan = Planner.PlanStep(deployment, step, device);
        var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
        foreach (var alone in new[] { SplitAlone(deployment), Whole(deployment, PrefetchPolicy.Best) })
        {
            for (var context = step.MinContext; context <= step.MaxContext; context++)
                times.Of(plan, context).ShouldBeLessThanOrEqualTo(times.Of(alone, context), $"at {context}");
        }
    }

    [Fact]
    public void Where_either_alone_is_faster_at_some_contexts_the_plan_prefetches_at_those_and_recomputes_at_the_others()
    {
        var device = DeviceOf(Devices.L40S);
        var step = new DecodeSpec(4, 400, Total: false, Prompt: 32);
        var deployment = Small(24, step, device.Id, 1);
        var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
        var (prefetched, split) = (Whole(deployment, PrefetchPolicy.Best), SplitAlone(deployment));
        times.Of(prefetched, 32).ShouldBeLessThan(times.Of(split, 32));
        times.Of(split, 400).ShouldBeLessThan(times.Of(prefetched, 400));

        var (plan, report) = Planner.Plan(deployment, device).Steps[0];
        report.Split!.RecomputedTokens.ShouldBeGreaterThan(0);
        report.Split.Reason.ShouldContain("; at contexts 32 to ");
        for (var context = 32; context <= 400; context++)
        {
            var bytes = plan.Instructions().Where(i => i.Operation is PrefetchOperation).SelectMany(i => i.Reads).Sum(r => r.Range?.Length.At(context) ?? 1);
            (bytes > 0).ShouldBe(times.Of(prefetched, context) < times.Of(split, context));
            plan.RecomputedTokens(context).ShouldBe(bytes > 0 ? 0 : split.RecomputedTokens(context));
        }
    }

    [Fact]
    public void Where_one_slot_joins_a_rank_to_the_host_and_to_the_others_gathering_takes_from_the_transfer()
    {
        // Into each card, of a token in a layer: 163,840 bytes of keys and values, or a quarter of 327,680 bytes of activations and three quarters
        // from the other ranks.
        var step = new DecodeSpec(32, 515, Total: false, Prompt: 512);
        var card = DeviceOf(Devices.L40S);
        var apart = card with { ScaleUp = card.ScaleUp with { Kind = "links of their own" } };
        var deployment = HostCaches.Of(Specs.Opt13B, step, Devices.L40S, ranks: 4);
        var gathered = Planner.PlanStep(deployment, step, apart);
        gathered.Instructions().ShouldContain(i => i.Label == "gather_x");
        Run(card, gathered, 515).ShouldBeGreaterThan(Run(apart, gathered, 515));
        Run(card, gathered, 515).ShouldBeGreaterThan(Run(card, Whole(deployment, PrefetchPolicy.None), 515));
        Planner.PlanStep(deployment, step, card).Instructions().ShouldNotContain(i => i.Label == "gather_x");
    }

    [Fact]
    public void Beyond_two_ranks_multi_head_attention_gains_where_the_ranks_gather_the_activations()
    {
        var device = DeviceOf(Devices.A100Sxm80);
        var step = new DecodeSpec(64, 638, Total: false, Prompt: 512);
        var (plan, report) = Planner.Plan(HostCaches.Of(Specs.Opt13B, step, Devices.A100Sxm80, ranks: 4), device).Steps[0];
        // 5120 elements of 64 sequences in 2 bytes, against the keys and values of 4 ranks with 10 heads of 128 each.
        (report.Split!.ActivationBytes, report.Split.KeyValueBytes).ShouldBe((655_360, 1_310_720));
        plan.Instructions().ShouldContain(i => i.Label == "gather_x");
        report.StepPicoseconds.ShouldBeLessThan(report.BasePicoseconds * 9 / 10);
    }

    /// <summary>Deployments whose ranks gather, of which the split that gains most at the largest context loses at the smallest.</summary>
    [Theory]
    [InlineData("6.7B", Devices.H100, 4, 16, 128, 256)]
    [InlineData("6.7B", Devices.H100, 4, 16, 128, 32)]
    [InlineData("6.7B", Devices.H100, 8, 32, 128, 256)]
    [InlineData("13B", Devices.A100Sxm80, 4, 16, 128, 256)]
    public void Where_the_ranks_gather_as_many_tokens_are_recomputed_as_gain_most_without_a_loss_at_any_length(string model, string id, int ranks, int batch, int prompt, int tokens)
    {
        var device = DeviceOf(id);
        var step = new DecodeSpec(batch, prompt + tokens - 2, Total: false, prompt);
        var deployment = HostCaches.Of(model == "13B" ? Specs.Opt13B : Specs.Opt6B, step, id, ranks);
        var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
        var whole = Whole(deployment, PrefetchPolicy.None);
        var contexts = Enumerable.Range(0, 33).Select(i => prompt + ((step.MaxContext - prompt) * i / 32)).ToList();
        var least = long.MaxValue;
        for (var l = 8; l <= prompt; l += 8)
        {
            var constant = Split(deployment, step, l, ActivationTransfer.Gathered);
            if (contexts.TrueForAll(c => times.Of(constant, c) <= times.Of(whole, c)))
                least = Math.Min(least, contexts.Sum(c => times.Of(constant, c)));
        }
        var plan = Planner.PlanStep(deployment, step, device);
        plan.Instructions().ShouldContain(i => i.Label == "gather_x");
        contexts.ShouldAllBe(c => times.Of(plan, c) <= times.Of(whole, c));
        contexts.Sum(c => times.Of(plan, c)).ShouldBeLessThanOrEqualTo(least * 1001 / 1000);
        least.ShouldBeLessThan(contexts.Sum(c => times.Of(whole, c)) * 19 / 20);
    }

    /// <summary>Prompts that are no multiple of what fills the recomputation's tiles, and batches that fill them with many tokens only.</summary>
    [Theory]
    [InlineData("6.7B", Devices.H100, 6, 500, 128)]
    [InlineData("13B", Devices.H100, 5, 200, 200)]
    [InlineData("6.7B", Devices.A100Sxm40, 20, 100, 128)]
    [InlineData("6.7B", Devices.A100Sxm40, 1, 300, 200)]
    public void Neither_a_prompts_length_nor_an_odd_batch_keeps_the_split_from_what_is_fastest(string model, string id, int batch, int prompt, int tokens)
    {
        var device = DeviceOf(id);
        var step = new DecodeSpec(batch, prompt + tokens - 2, Total: false, prompt);
        var deployment = HostCaches.Of(model == "13B" ? Specs.Opt13B : Specs.Opt6B, step, id);
        var times = new PlanTimes(CostLaws.For(device), CancellationToken.None);
        var constants = Enumerable.Range(0, 33).Select(i => prompt * i / 32).Distinct().Select(l => l == 0 ? Whole(deployment, PrefetchPolicy.None) : Split(deployment, step, l)).ToList();
        var contexts = Enumerable.Range(0, 17).Select(i => prompt + ((step.MaxContext - prompt) * i / 16)).ToList();
        var plan = Planner.PlanStep(deployment, step, device);
        var least = contexts.Sum(c => constants.Min(p => times.Of(p, c)));
        contexts.Sum(c => times.Of(plan, c)).ShouldBeLessThanOrEqualTo(least * 102 / 100);
        contexts.Sum(c => times.Of(plan, c)).ShouldBeLessThanOrEqualTo(constants.Min(p => contexts.Sum(c => times.Of(p, c))));
    }

    [Fact]
    public void What_the_host_cannot_hold_is_refused_and_activations_are_stored_only_where_there_is_room()
    {
        var device = DeviceOf(Devices.A100Sxm40);
        var deployment = HostCaches.Of(Specs.Opt13B, new DecodeSpec(64, 254, Total: false, Prompt: 128));
        // 64 sequences of 255 tokens, 40 layers of 2 x 5120 elements in 2 bytes.
        const long cache = 64L * 255 * 40 * 2 * 5120 * 2;
        Planner.Plan(deployment, Host(cache * 2)).Steps[0].Report.Split!.RecomputedTokens.ShouldBe(128);
        // Of a token 64 x 40 x 5120 elements are stored; tiles have 2 tokens.
        const long token = 64L * 40 * 5120 * 2;
        foreach (var (room, most) in new[] { (101 * token, 100), (51 * token, 50), (3 * token, 2) })
        {
            var (plan, report) = Planner.Plan(deployment, Host(cache + room)).Steps[0];
            report.Split!.RecomputedTokens.ShouldBe(most);
            report.StepPicoseconds.ShouldBeLessThan(report.BasePicoseconds);
            report.Split.Reason.ShouldEndWith($"; the host's memory has room for the activations of {most} tokens");
            PlanFootprint.Of(plan, plan.Step.MaxContext).HostBytes.ShouldBeLessThanOrEqualTo(cache + room);
        }
        var none = Planner.Plan(deployment, Host(cache)).Steps[0].Report.Split!;
        none.Outcome.ShouldBe(SplitOutcome.NotFaster);
        none.Reason.ShouldBe("the host's memory has no room for the activations of 2 tokens, the fewest that are looked at");
        Should.Throw<ArgumentException>(() => Planner.Plan(deployment, Host(cache - 1_000_000_000))).Message.ShouldContain($"{cache} bytes of the host's memory");

        Device Host(long bytes) => device with { HostLink = device.HostLink with { HostMemoryGigabytes = bytes / 1e9 } };
    }

    private static ExecutionPlan Whole(DeploymentSpec deployment, PrefetchPolicy prefetch) => Planner.PlanStep(
        deployment with { Prefetch = prefetch, Offload = deployment.Offload with { Recompute = RecomputePolicy.None } }, deployment.Steps[0], DeviceOf(deployment.Device));

    private static ExecutionPlan Split(DeploymentSpec deployment, DecodeSpec step, Amount tokens, ActivationTransfer transfer = ActivationTransfer.Whole)
    {
        var split = new CacheSplit(null, new Dictionary<string, Amount> { [""] = tokens }) { Activations = transfer };
        return PlanEmission.Emit(StepPlanner.Plan(deployment, step, PublishedRule.Nothing, split), deployment, roomBytes: 0);
    }

    private static DeploymentSpec Small(int layers, DecodeSpec step, string id, int ranks) => HostCaches.Of(
        Specs.Model("Small", 2048, 32_000, Specs.Group(layers, Specs.Layer("DecoderLayer", 32, 32, 64, 8192))), step, id, ranks, prefetch: PrefetchPolicy.Best);

    private static ExecutionPlan SplitAlone(DeploymentSpec deployment) =>
        Planner.PlanStep(deployment with { Prefetch = PrefetchPolicy.None }, deployment.Steps[0], DeviceOf(deployment.Device));

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new ArgumentException(id);

    private static long Run(Device device, ExecutionPlan plan, int context) =>
        new Executor(new SimulatedBackend(device)).RunAsync(plan, context).AsTask().GetAwaiter().GetResult().Picoseconds;
}
