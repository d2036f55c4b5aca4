using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class ColumnScheduleTests
{
    private static readonly ModelSpec _deep = Specs.Model("Deep", 64, 100, Specs.Group(12, Specs.Layer("L", 8, 8, 32, 128)));
    private static readonly StepSpec _step = new DecodeSpec(2, 20, Total: false, Prompt: 16);

    [Fact]
    public void A_layer_serves_all_batches_before_the_next_layer_and_weights_cross_once_for_all()
    {
        var plan = PlanOf(_deep, 3);
        var body = plan.Body.OfType<Repeat>().ShouldHaveSingleItem().Body.OfType<Instruction>().ToList();
        body.Where(i => i.Operation is AttentionOperation).Select(i => $"{i.Writes[0].Layer.Value} {i.Writes[0].Tensor}").ShouldBe(
            ["0 attended@0", "0 attended@1", "0 attended@2", "1 attended@0", "1 attended@1", "1 attended@2"]);
        body.Count(i => i.Stream == StreamKind.HostToDevice && i.Reads[0].Tensor == "down_weight").ShouldBe(2);
        body.Count(i => i.Label == "down" && i.Reads[1].Tensor == "down_weight_even").ShouldBe(3);
    }

    [Fact]
    public void What_a_batch_needs_is_brought_while_the_one_before_computes_and_the_next_layers_weights_beside_all_of_them()
    {
        var plan = PlanOf(_deep, 3);
        var body = plan.Body.OfType<Repeat>().ShouldHaveSingleItem().Body.OfType<Instruction>().Where(i => i.Stream == StreamKind.HostToDevice || i.Operation is AttentionOperation).ToList();
        body.Take(body.Count / 2).Select(i => $"{i.Label} {i.Writes[0].Layer.Value} {i.Writes[0].Tensor}").ShouldBe(
        [
            "load_x_odd 0 x_past@1", "load_kv_odd 0 kv_past@1", "load_qkv_weight_kv_odd 1 qkv_weight_kv_odd", "attention 0 attended@0",
            "load_x_last 0 x_past@2", "load_kv_last 0 kv_past@2", "load_qkv_weight_q_odd 1 qkv_weight_q_odd", "load_out_weight_odd 1 out_weight_odd", "attention 0 attended@1",
            "load_x_even 1 x_past@0", "load_kv_even 1 kv_past@0", "load_gate_up_weight_odd 1 gate_up_weight_odd", "load_down_weight_odd 1 down_weight_odd", "attention 0 attended@2",
        ]);
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(4, 2)]
    [InlineData(5, 3)]
    public void Batches_have_buffers_in_turn(int batches, int places)
    {
        var plan = PlanOf(_deep, batches);
        plan.Tensors.Where(t => t.Name.StartsWith("kv_past@", StringComparison.Ordinal)).Select(t => t.Offset).Distinct().Count().ShouldBe(places);
        // The residual streams of the batches that wait are all there, and so are all results.
        foreach (var name in new[] { "h@", "logits@" })
            plan.Tensors.Where(t => t.Name.StartsWith(name, StringComparison.Ordinal)).Select(t => t.Offset).Distinct().Count().ShouldBe(batches);
    }

    [Fact]
    public void A_prefill_stores_every_batchs_cache_and_activations()
    {
        var plan = PlanOf(_deep, 3, new PrefillSpec(2, 16)).Unroll();
        var saves = plan.Body.Cast<Instruction>().Where(i => i.Stream == StreamKind.DeviceToHost).Select(i => (i.Writes[0].Layer.Value, i.Writes[0].Tensor)).ToList();
        saves.ShouldBe(Enumerable.Range(0, 12).SelectMany(l => Enumerable.Range(0, 3).SelectMany(b => new[] { (l, $"x@{b}"), (l, $"kv@{b}") })));
    }

    [Fact]
    public void The_proof_and_the_text_of_a_deep_stack_are_no_longer_than_those_of_a_shallow_one()
    {
        var plans = new[] { 16, 80 }.Select(repeat => PlanOf(_deep with { Stack = new[] { _deep.Stack[0] with { Repeat = repeat } } }, 4)).ToList();
        PlanVerifier.CountSteps(plans[1]).ShouldBe(PlanVerifier.CountSteps(plans[0]));
        plans[1].Instructions().Count().ShouldBe(plans[0].Instructions().Count());
    }

    public static TheoryData<string, Func<Instruction, Instruction?>> Faults => new()
    {
        { "a batch attends to another's cache", i => i.Operation is AttentionOperation ? i with { Reads = i.Reads.Select(r => r with { Tensor = r.Tensor.Replace("kv_past@0", "kv_past@1", StringComparison.Ordinal) }).ToArray() } : i },
        { "another batch's cache is brought", i => i.Label == "load_kv_odd" ? i with { Reads = new[] { i.Reads[0] with { Tensor = "kv@0" } } } : i },
        { "another batch's activations are brought", i => i.Label == "load_x_odd" ? i with { Reads = new[] { i.Reads[0] with { Tensor = "x@0" } } } : i },
        { "a batch's cache is not brought", i => i.Label == "load_kv_last" ? null : i },
        { "the first batch's cache is not brought to the first layer", i => i.Label == "load_kv_even" && i.Reads[0].Layer == LayerIndex.Of(0) ? null : i },
        { "a batch's new entries are not stored", i => i.Label == "save_kv_odd" ? null : i },
        { "a batch's new entries are stored with another", i => i.Label == "save_kv_odd" ? i with { Writes = new[] { i.Writes[0] with { Tensor = "kv@0" } } } : i },
        { "a batch is left out of a layer", i => i.Label == "attention" && i.Writes[0].Tensor == "attended@2" ? null : i },
        { "a batch takes another's residual stream", i => i.Label == "attn_add" ? i with { Reads = new[] { i.Reads[0] with { Tensor = "h@0" }, i.Reads[1] } } : i },
        { "a batch does not read a weight", i => i.Label == "down" && i.Reads[0].Tensor == "activated@1" ? i with { Reads = new[] { i.Reads[0] } } : i },
        { "a batch's last norm does not read its weight", i => i.Label == "final_norm" && i.Writes[0].Tensor == "head_in@1" ? i with { Reads = new[] { i.Reads[0] } } : i },
        { "the last batch reads the next layer's weight", i => i.Label == "down" && i.Reads[0].Tensor == "activated@2" ? i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Tensor = i.Reads[1].Tensor == "down_weight_even" ? "down_weight_odd" : "down_weight_even" } } } : i },
        { "weights come over what the last batch still reads", i => i.Stream == StreamKind.HostToDevice ? i with { Waits = default } : i },
        { "a copy does not wait for who read the buffer", i => i.Label == "load_x_odd" ? i with { Waits = default } : i },
        { "an attention does not wait", i => i.Operation is AttentionOperation ? i with { Waits = default } : i },
    };

    [Theory, MemberData(nameof(Faults))]
    public void A_plan_in_which_something_is_wrong_is_refused(string what, Func<Instruction, Instruction?> change)
    {
        var plan = PlanOf(_deep, 3);
        var wrong = plan with { Body = Changed(plan.Body, change) };
        wrong.ShouldNotBe(plan);
        PlanVerifier.Verify(wrong).ShouldNotBeEmpty(what);
        PlanVerifier.Verify(wrong.Unroll()).ShouldNotBeEmpty(what);
    }

    [Fact]
    public void A_result_that_another_batch_overwrites_is_refused()
    {
        var plan = PlanOf(_deep, 3);
        var wrong = plan with { Tensors = plan.Tensors.Select(t => t.Name == "logits@2" ? t with { Offset = plan.Tensors.Single(o => o.Name == "logits@0").Offset } : t).ToArray() };
        PlanVerifier.Verify(wrong).ShouldHaveSingleItem().Message.ShouldContain("over the result 'logits@0'");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_plan_of_another_number_of_batches_than_it_says_is_refused(int batches) =>
        PlanVerifier.Verify(PlanOf(_deep, 3) with { Batches = batches }).ShouldNotBeEmpty();

    [Fact]
    public async Task Opt_30B_gives_several_times_the_tokens_when_its_weights_cross_once_for_eight_batches()
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var device).ShouldBeTrue();
        var steps = new StepSpec[] { new DecodeSpec(32, 286, Total: false, Prompt: 256), new PrefillSpec(32, 256) };
        var rows = Specs.Deploy(Specs.Opt30B, 1, steps[0], Precision.Bf16, PrefetchPolicy.Best, Devices.A100Sxm40) with { Steps = steps, Offload = new OffloadSpec(Home.Host, Home.Host) };
        var columns = rows with { Offload = rows.Offload with { Objective = Objective.Throughput, BatchesPerLayer = 8 } };
        var (byRow, byColumn, transferred) = (await RunAsync(rows), await RunAsync(columns), await RunAsync(columns with { Offload = columns.Offload with { Recompute = RecomputePolicy.None } }));
        byColumn.Batch.ShouldBe(256);
        byColumn.TokensPerSecond.ShouldBe(256 * 32 / (byColumn.Picoseconds / 1e12), 1e-9);
        byColumn.TokensPerSecond.ShouldBeGreaterThan(3 * byRow.TokensPerSecond);
        byColumn.TokensPerSecond.ShouldBeGreaterThan(1.1 * transferred.TokensPerSecond);
        // The link is what it waits for.
        byColumn.DecodeShare(s => s.CopyToDevicePicoseconds).ShouldBeGreaterThan(0.95);

        async Task<GenerationRun> RunAsync(DeploymentSpec deployment)
        {
            var plans = Planner.Plan(deployment, device!);
            foreach (var (plan, report) in plans.Steps)
            {
                report.BoundPicoseconds.ShouldBeLessThanOrEqualTo(Math.Min(report.BasePicoseconds, report.StepPicoseconds));
                PlanFootprint.Of(plan, plan.Step.MaxContext).DeviceBytes.ShouldBeLessThanOrEqualTo(device!.MemoryBytes);
            }
            return await GenerationRun.RunAsync(new Executor(new SimulatedBackend(device!)), plans.Steps[1].Plan, plans.Steps[0].Plan, 32);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Even_and_odd_numbers_of_batches_keep_the_link_busy_alike(int batches)
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var device).ShouldBeTrue();
        var step = new DecodeSpec(32, 512, Total: false, Prompt: 512);
        var one = HostCaches.Of(Specs.Deploy(Specs.Opt13B, 1, step, Precision.Bf16, PrefetchPolicy.None, Devices.A100Sxm40), RecomputePolicy.None);
        var several = one with { Offload = one.Offload with { Objective = Objective.Throughput, BatchesPerLayer = batches } };
        // Without weights to share, a batch of several takes what one alone does.
        ((double)await Time(several) / (batches * await Time(one))).ShouldBeInRange(0.95, 1.001);

        async Task<long> Time(DeploymentSpec deployment) =>
            (await new Executor(new SimulatedBackend(device!)).RunAsync(Planner.PlanStep(deployment, step, device!), 512)).Picoseconds;
    }

    [Fact]
    public async Task Plans_of_other_numbers_of_batches_are_not_of_one_generation()
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var device).ShouldBeTrue();
        (await Should.ThrowAsync<ArgumentException>(async () => await GenerationRun.RunAsync(
            new Executor(new SimulatedBackend(device!)), PlanOf(_deep, 3, new PrefillSpec(2, 16)), PlanOf(_deep, 2), 4))).Message.ShouldContain("serve 3 batches");
    }

    [Fact]
    public void Any_deployment_whose_layers_serve_several_batches_is_planned_and_proved_within_the_arithmetic_of_its_memory() => Prop.ForAll(Arb.From(HostCaches.Columns(maxRepeat: 8)), deployment =>
    {
        DeploymentRules.Check(deployment, modelIsSound: true).ShouldBeEmpty();
        var plan = Specs.Plan(deployment);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        plan.Batches.ShouldBe(deployment.Offload.BatchesPerLayer);
        plan.Unroll().ShouldBe(Specs.PlanUnrolled(deployment));
        PlanText.ReadPlan(PlanText.Write(plan)).ShouldBe(plan);
        var fit = MemoryFit.Of(deployment, availableBytes: long.MaxValue);
        fit.ActivationBytes.ShouldBeGreaterThanOrEqualTo(plan.ArenaBytes);
        var footprint = PlanFootprint.Of(plan, plan.Step.MaxContext);
        footprint.HostBytes.ShouldBe(fit.HostBytes / deployment.TensorParallel);
        // A paged cache takes whole blocks.
        (footprint.DeviceBytes - plan.ArenaBytes).ShouldBeInRange(deployment.KeyValueBlockTokens == 0 ? fit.WeightBytes + fit.KeyValueBytes : fit.WeightBytes, fit.WeightBytes + fit.KeyValueBytes);
    }).Check(RandomDeployments.Runs(200));

    [Fact]
    public void Any_such_deployment_is_never_slower_than_transferring_everything_and_reported_as_it_runs()
    {
        var splits = 0;
        Prop.ForAll(Arb.From(HostCaches.Columns(maxRepeat: 8)), deployment =>
        {
            DeviceCatalogue.TryGet(deployment.Device, out var device).ShouldBeTrue();
            if (!MemoryFit.Of(deployment, device!.MemoryBytes, device.HostMemoryBytes).Fits)
                return;
            var plans = Planner.Plan(deployment, device);
            PlanSet.Parse(PlanText.Write(plans)).ShouldBe(plans);
            var (plan, report) = plans.Steps[0];
            Run(device, plan, plan.Step.MaxContext).ShouldBe(report.StepPicoseconds);
            report.BoundPicoseconds.ShouldBeLessThanOrEqualTo(Math.Min(report.BasePicoseconds, report.StepPicoseconds));
            if (plan.RecomputedTokens(plan.Step.MaxContext) == 0)
                return;
            splits++;
            var whole = Planner.PlanStep(deployment with { Offload = deployment.Offload with { Recompute = RecomputePolicy.None } }, plan.Step, device);
            foreach (var context in Enumerable.Range(0, 5).Select(i => plan.Step.MinContext + (int)((long)(plan.Step.MaxContext - plan.Step.MinContext) * i / 4)).Distinct())
                Run(device, plan, context).ShouldBeLessThanOrEqualTo(Run(device, whole, context));
        }).Check(RandomDeployments.Runs(40));
        splits.ShouldBeGreaterThan(2);

        static long Run(Device device, ExecutionPlan plan, int context) =>
            new Executor(new SimulatedBackend(device)).RunAsync(plan, context).AsTask().GetAwaiter().GetResult().Picoseconds;
    }

    private static ExecutionPlan PlanOf(ModelSpec model, int batches, StepSpec? step = null)
    {
        var deployment = HostCaches.Of(model, _step) with { Offload = new OffloadSpec(Home.Host, Home.Host, Objective.Throughput, batches) };
        var split = new CacheSplit(KvSplitForm.Sequential, new Dictionary<string, Amount> { [""] = 12 });
        var plan = PlanEmission.Emit(StepPlanner.Plan(deployment, step ?? _step, PublishedRule.Nothing, split), deployment, 0);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        return plan;
    }

    private static EquatableArray<PlanNode> Changed(EquatableArray<PlanNode> body, Func<Instruction, Instruction?> change) => body
        .Select(n => n is Repeat r ? r with { Body = Changed(r.Body, change) } : (PlanNode?)change((Instruction)n)).OfType<PlanNode>().ToArray();
}
