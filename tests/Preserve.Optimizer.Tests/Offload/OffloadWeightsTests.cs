using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class OffloadWeightsTests
{
    private static readonly ModelSpec _deep = Specs.Model("Deep", 64, 100, Specs.Group(12, Specs.Layer("L", 8, 2, 32, 128, bias: ProjectionBias.All)));
    private static readonly StepSpec _step = new DecodeSpec(2, 20, Total: false, Prompt: 16);

    [Fact]
    public void Matrices_of_the_next_layer_are_brought_in_the_order_in_which_they_are_needed_and_all_else_stays()
    {
        var plan = PlanOf(_deep, Home.Device);
        var repeat = plan.Body.OfType<Repeat>().ShouldHaveSingleItem();
        repeat.Stride.ShouldBe(2);
        repeat.Body.OfType<Instruction>().Where(i => i.Stream == StreamKind.HostToDevice).Select(i => $"{i.Label} {i.Reads[0].Layer.Value} {string.Join(",", i.Waits)}").ShouldBe(
        [
            "load_qkv_weight_odd 1 down", "load_out_weight_odd 1 ", "load_gate_up_weight_odd 1 ", "load_down_weight_odd 1 ",
            "load_qkv_weight_even 2 down", "load_out_weight_even 2 ", "load_gate_up_weight_even 2 ", "load_down_weight_even 2 ",
        ]);
        plan.Tensors.Where(t => t.OnHost).Select(t => t.Name).ShouldBe(["qkv_weight", "out_weight", "gate_up_weight", "down_weight"]);
        foreach (var (label, buffer) in new[] { ("qkv", "qkv_weight"), ("out", "out_weight"), ("gate_up", "gate_up_weight"), ("down", "down_weight") })
        {
            var readers = repeat.Body.OfType<Instruction>().Where(i => i.Label == label).ToList();
            readers.Select(r => r.Reads[1].Tensor).ShouldBe([buffer + "_even", buffer + "_odd"]);
            readers.Select(r => r.Waits[0]).ShouldBe(["load_" + buffer + "_even", "load_" + buffer + "_odd"]);
        }
    }

    [Fact]
    public void The_part_that_makes_keys_and_values_comes_first_and_they_are_made_again_while_the_rest_comes()
    {
        var plan = PlanOf(_deep, Home.Host, 12);
        var body = plan.Body.OfType<Repeat>().ShouldHaveSingleItem().Body.OfType<Instruction>().ToList();
        body.Where(i => i.Stream == StreamKind.HostToDevice).Take(7).Select(i => i.Label).ShouldBe(
            ["load_qkv_weight_kv_odd", "load_x_odd", "load_qkv_weight_q_odd", "load_kv_odd", "load_out_weight_odd", "load_gate_up_weight_odd", "load_down_weight_odd"]);
        // 8 query heads and twice 2 of keys and values, of 32 elements each.
        body[0].Reads[0].Range.ShouldBe(new UnitRange(256 * 64 * 2, 384 * 64 * 2));
        var recompute = body.First(i => i.Operation is RecomputeOperation);
        recompute.Waits.ShouldBe(["load_x_even"]);
        recompute.Reads.Select(r => r.Tensor).ShouldBe(["x_past_even", "qkv_weight_kv_even", "qkv_bias"]);
        body.IndexOf(recompute).ShouldBeLessThan(body.FindIndex(i => i.Label == "attn_norm"));
        body.First(i => i.Label == "qkv").Reads.Select(r => r.Tensor).ShouldBe(["attn_in", "qkv_weight_q_even", "qkv_weight_kv_even", "qkv_bias"]);
        body.First(i => i.Label == "qkv").Waits.ShouldBe(["load_qkv_weight_q_even"]);
    }

    [Fact]
    public void Projections_of_their_own_are_brought_whole_those_of_keys_and_values_first()
    {
        var deployment = Of(_deep, Home.Host) with { SeparateProjections = true };
        var plan = PlanEmission.Emit(StepPlanner.Plan(deployment, _step, PublishedRule.Nothing, Split(12)), deployment, 0);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        plan.Instructions().Where(i => i.Stream == StreamKind.HostToDevice).Take(5).Select(i => i.Label)
            .ShouldBe(["load_k_weight_even", "load_v_weight_even", "load_x_even", "load_q_weight_even", "load_kv_even"]);
        plan.Instructions().Where(i => i.Label is "load_k_weight_even" or "load_q_weight_even").ShouldAllBe(i => i.Reads[0].Range == null);
    }

    [Fact]
    public void The_proof_and_the_text_of_a_deep_stack_are_no_longer_than_those_of_a_shallow_one()
    {
        var plans = new[] { 16, 80 }.Select(repeat => PlanOf(_deep with { Stack = new[] { _deep.Stack[0] with { Repeat = repeat } } }, Home.Host, 12)).ToList();
        PlanVerifier.CountSteps(plans[1]).ShouldBe(PlanVerifier.CountSteps(plans[0]));
        plans[1].Instructions().Count().ShouldBe(plans[0].Instructions().Count());
    }

    public static TheoryData<string, Func<Instruction, Instruction?>> Faults => new()
    {
        { "a weight is not brought", i => i.Label == "load_out_weight_odd" ? null : i },
        { "a part of a weight is not brought", i => i.Label == "load_qkv_weight_q_even" ? null : i },
        { "the first layer's weight is not brought", i => i.Label == "load_down_weight_even" && i.Reads[0].Layer == LayerIndex.Of(0) ? null : i },
        { "the weight of another layer is brought", i => i.Label == "load_out_weight_odd" ? i with { Reads = new[] { i.Reads[0] with { Layer = i.Reads[0].Layer with { Value = i.Reads[0].Layer.Value - 1 } } } } : i },
        { "another weight is brought", i => i.Label == "load_gate_up_weight_odd" ? i with { Reads = new[] { i.Reads[0] with { Tensor = "out_weight" } } } : i },
        { "a part is brought to the place of another", i => i.Label == "load_qkv_weight_kv_even" ? i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(0, 128 * 64 * 2) } } } : i },
        { "half of a weight is brought", i => i.Label == "load_down_weight_even" ? i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(0, 8192) } }, Writes = new[] { i.Writes[0] with { Range = new UnitRange(0, 8192) } } } : i },
        { "an operator takes a part of the projection for the whole", i => i.Label == "qkv" ? i with { Reads = new[] { i.Reads[0], i.Reads[1], i.Reads[3] } } : i },
        { "an operator reads the weight of the layer before", i => i.Label == "out" ? i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Layer = i.Reads[1].Layer with { Value = Math.Max(i.Reads[1].Layer.Value - 2, 0) } } } } : i },
        { "an operator reads the other buffer", i => i.Label == "out" ? i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Tensor = i.Reads[1].Tensor == "out_weight_even" ? "out_weight_odd" : "out_weight_even" } } } : i },
        { "an operator reads another weight of its layer", i => i.Label == "gate_up" ? i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Tensor = i.Reads[1].Tensor.Replace("gate_up", "out", StringComparison.Ordinal) } } } : i },
        { "an operator reads no weight", i => i.Label == "down" ? i with { Reads = new[] { i.Reads[0] } } : i },
        { "an operator reads host memory", i => i.Label == "down" ? i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Tensor = "down_weight" } } } : i },
        { "an operator does not wait", i => i.Label == "out" ? i with { Waits = default } : i },
        { "the recomputation does not wait", i => i.Operation is RecomputeOperation ? i with { Waits = default } : i },
        { "the recomputation reads the queries' part", i => i.Operation is RecomputeOperation ? i with { Reads = i.Reads.Select(r => r with { Tensor = r.Tensor.Replace("_kv_", "_q_", StringComparison.Ordinal) }).ToArray() } : i },
        { "copies do not wait for who reads the buffer", i => i.Stream == StreamKind.HostToDevice ? i with { Waits = default } : i },
        { "a kernel writes into a buffer", i => i.Label == "rotary" ? i with { Writes = new[] { i.Writes[0], new TensorReference("out_weight_even", i.Writes[0].Layer) } } : i },
    };

    [Theory, MemberData(nameof(Faults))]
    public void A_plan_in_which_something_is_wrong_is_refused(string what, Func<Instruction, Instruction?> change)
    {
        var plan = PlanOf(_deep, Home.Host, 12);
        var wrong = plan with { Body = Changed(plan.Body, change) };
        wrong.ShouldNotBe(plan);
        PlanVerifier.Verify(wrong).ShouldNotBeEmpty(what);
        PlanVerifier.Verify(wrong.Unroll()).ShouldNotBeEmpty(what);
    }

    [Fact]
    public void Any_deployment_with_its_weights_on_the_host_is_planned_and_proved_within_the_arithmetic_of_its_memory() => Prop.ForAll(Arb.From(Generator), deployment =>
    {
        var plan = Specs.Plan(deployment);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        plan.Unroll().ShouldBe(Specs.PlanUnrolled(deployment));
        PlanText.ReadPlan(PlanText.Write(plan)).ShouldBe(plan);
        var fit = MemoryFit.Of(deployment, availableBytes: long.MaxValue);
        fit.ActivationBytes.ShouldBeGreaterThanOrEqualTo(plan.ArenaBytes);
        var footprint = PlanFootprint.Of(plan, plan.Step.MaxContext);
        footprint.HostBytes.ShouldBe(fit.HostBytes / deployment.TensorParallel);
        (footprint.DeviceBytes - plan.ArenaBytes).ShouldBe(fit.WeightBytes + fit.KeyValueBytes);
    }).Check(RandomDeployments.Runs(100));

    [Fact]
    public void Opt_30B_runs_on_one_A100_with_its_weights_on_the_host_at_the_rate_of_the_link()
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var device).ShouldBeTrue();
        var step = new DecodeSpec(1, 128, Total: false);
        var onDevice = Specs.Deploy(Specs.Opt30B, 1, step, Precision.Bf16, PrefetchPolicy.Best, Devices.A100Sxm40);
        Should.Throw<ArgumentException>(() => Planner.Plan(onDevice, device!));
        var (plan, report) = Planner.Plan(onDevice with { Offload = OffloadSpec.None with { Weights = Home.Host } }, device!).Steps[0];
        // 48 layers of 12 x 7168 x 7168 elements in 2 bytes.
        const long matrices = 48L * 12 * 7168 * 7168 * 2;
        PlanFootprint.Of(plan, 128).HostBytes.ShouldBe(matrices);
        PlanFootprint.Of(plan, 128).DeviceBytes.ShouldBeInRange(matrices / 48 * 2, device!.MemoryBytes);
        report.BoundBy.ShouldBe("host link, to the device");
        ((double)report.StepPicoseconds / report.BoundPicoseconds).ShouldBeInRange(1, 1.05);
    }

    [Fact]
    public void What_neither_memory_holds_is_refused()
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm40, out var device).ShouldBeTrue();
        var deployment = Of(Specs.Opt13B, Home.Host);
        var fit = MemoryFit.Of(deployment, device!.MemoryBytes);
        Planner.Plan(deployment, Host(fit.HostBytes));
        Should.Throw<ArgumentException>(() => Planner.Plan(deployment, Host(fit.HostBytes - 100_000_000))).Message.ShouldContain("of the host's memory");
        Planner.Plan(deployment, device with { Hbm = device.Hbm with { CapacityGigabytes = (fit.NeededBytes / 1e9) + 0.001 } });
        Should.Throw<ArgumentException>(() => Planner.Plan(deployment, device with { Hbm = device.Hbm with { CapacityGigabytes = (fit.NeededBytes / 1e9) - 0.001 } }));

        Device Host(long bytes) => device with { HostLink = device.HostLink with { HostMemoryGigabytes = bytes / 1e9 } };
    }

    private static Gen<DeploymentSpec> Generator =>
        from hosted in HostCaches.Generator(maxRepeat: 8)
        from keyValues in Gen.Elements(Home.Host, Home.Device)
        select hosted with { Offload = OffloadSpec.None with { KeyValues = keyValues, Weights = Home.Host } };

    private static CacheSplit Split(int tokens) => new(KvSplitForm.Sequential, new Dictionary<string, Amount> { [""] = tokens });

    private static DeploymentSpec Of(ModelSpec model, Home keyValues) =>
        HostCaches.Of(model, _step) with { Offload = OffloadSpec.None with { KeyValues = keyValues, Weights = Home.Host } };

    private static ExecutionPlan PlanOf(ModelSpec model, Home keyValues, int recomputed = 0)
    {
        var deployment = Of(model, keyValues);
        var plan = PlanEmission.Emit(StepPlanner.Plan(deployment, _step, PublishedRule.Nothing, recomputed == 0 ? CacheSplit.None : Split(recomputed)), deployment, 0);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        return plan;
    }

    private static EquatableArray<PlanNode> Changed(EquatableArray<PlanNode> body, Func<Instruction, Instruction?> change) => body
        .Select(n => n is Repeat r ? r with { Body = Changed(r.Body, change) } : (PlanNode?)change((Instruction)n)).OfType<PlanNode>().ToArray();
}
