namespace Preserve.Optimizer.Tests;

public class OffloadKeyValuesTests
{
    private static readonly ModelSpec _grouped = Specs.Model("Grouped", 64, 100, Specs.Group(5, Specs.Layer("L", 8, 2, 32, 128)));
    private static readonly ModelSpec _normed = Specs.Model("Normed", 64, 100, Specs.Group(4, Specs.Layer("L", 4, 4, 32, 128, queryKeyNorm: true, bias: ProjectionBias.All)));
    private static readonly ModelSpec _mixed = Specs.Model("Mixed", 64, 100, Specs.Group(3, Specs.Layer("Wide", 4, 4, 32, 128), Specs.Layer("Windowed", 4, 4, 32, 128, window: 5)));

    [Fact]
    public void A_prefill_stores_every_layers_cache_and_the_activations_that_will_be_recomputed_from()
    {
        var plan = PlanOf(_grouped, new PrefillSpec(2, 16), Split(12)).Unroll();
        foreach (var (tensor, end) in new[] { ("kv", 16L), ("x", 12L) })
        {
            var saves = Instructions(plan).Where(i => i.Writes.Any(w => w.Tensor == tensor)).ToList();
            saves.Select(s => s.Writes[0].Layer.Value).ShouldBe(Enumerable.Range(0, 5));
            saves.ShouldAllBe(s => s.Operation is TransferOperation && s.Writes[0].Range!.Begin.IsZero && s.Writes[0].Range!.End == end);
        }
        // The norm writes sequence by sequence, a step reads the first tokens of all sequences: laid out anew before it crosses, but for one
        // sequence of which all is stored.
        plan.Tensors.ShouldContain(t => t.Name == "x_new");
        PlanOf(_grouped, new PrefillSpec(2, 16), Split(16)).Tensors.ShouldContain(t => t.Name == "x_new");
        PlanOf(_grouped, new PrefillSpec(1, 16), Split(16)).Tensors.ShouldNotContain(t => t.Name == "x_new");
    }

    [Fact]
    public void A_decode_step_brings_the_first_tokens_activations_and_the_others_keys_and_values()
    {
        var plan = PlanOf(_grouped, Step, Split(12)).Unroll();
        var recompute = Instructions(plan).Where(i => i.Operation is RecomputeOperation).ToList();
        recompute.Count.ShouldBe(5);
        // 2 KV heads of 32, not the 8 query heads; the tokens are those at the beginning of the prompt, rotated at their own places.
        recompute[0].Operation.ShouldBe(new RecomputeOperation(2, 12, 2, 32, 64, Precision.Bf16, Precision.Bf16, Rotates: true, Normalises: false));
        // Queries take 8 x 32 of the 384 columns, keys and values the others.
        recompute[0].Reads.Single(r => r.Tensor == "qkv_weight").Range.ShouldBe(new UnitRange(256 * 64 * 2, 384 * 64 * 2));
        foreach (var layer in Enumerable.Range(0, 5))
        {
            Instructions(plan).Single(i => i.Reads.Any(r => r.Tensor == "x" && r.Layer.Value == layer)).Reads[0].Range.ShouldBe(new UnitRange(0, 12));
            Instructions(plan).Single(i => i.Reads.Any(r => r.Tensor == "kv" && r.Layer.Value == layer)).Reads[0].Range.ShouldBe(new UnitRange(12, Amount.Context));
            Instructions(plan).Single(i => i.Writes.Any(r => r.Tensor == "kv" && r.Layer.Value == layer)).Writes[0].Range.ShouldBe(new UnitRange(Amount.Context, Amount.Context + 1));
        }
    }

    [Fact]
    public void Keys_are_normalised_and_biased_again_where_the_model_does()
    {
        var recompute = PlanOf(_normed, Step, Split(12)).Instructions().First(i => i.Operation is RecomputeOperation);
        ((RecomputeOperation)recompute.Operation).Normalises.ShouldBeTrue();
        recompute.Reads.Select(r => r.Tensor).ShouldBe(["x_past_even", "qkv_weight", "qkv_bias", "k_norm_weight"]);
        recompute.Reads.Single(r => r.Tensor == "qkv_bias").Range.ShouldBe(new UnitRange(128 * 2, 384 * 2));
    }

    [Fact]
    public void Layers_with_a_sliding_window_transfer_what_it_holds()
    {
        var plan = PlanOf(_mixed, Step, new CacheSplit(KvSplitForm.Sequential, new Dictionary<string, Amount> { ["Wide/"] = 12 }));
        plan.Instructions().Where(i => i.Operation is RecomputeOperation).Select(i => i.Writes[0].Tensor).Distinct().ShouldBe(["Wide/kv_remade"]);
        plan.Instructions().First(i => i.Reads.Any(r => r.Tensor == "Windowed/kv")).Reads[0].Range.ShouldBe(new UnitRange(0, 4));
    }

    [Fact]
    public void Neighbouring_layers_have_buffers_in_turn_and_a_copy_waits_for_the_attention_that_read_its_buffer()
    {
        var plan = PlanOf(Specs.Model("Deep", 64, 100, Specs.Group(12, Specs.Layer("L", 8, 2, 32, 128))), Step, Split(12));
        var repeat = plan.Body.OfType<Repeat>().ShouldHaveSingleItem();
        repeat.Stride.ShouldBe(2);
        var copies = repeat.Body.OfType<Instruction>().Where(i => i.Stream == StreamKind.HostToDevice && i.Label.StartsWith("load_x", StringComparison.Ordinal)).ToList();
        copies.Count.ShouldBe(2);
        foreach (var copy in copies)
            copy.Waits.ShouldBe(["attention"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_proof_of_a_deep_stack_takes_no_longer_than_that_of_a_shallow_one(bool prefill)
    {
        var plans = new[] { 16, 80 }.Select(repeat => PlanOf(
            Specs.Model("Deep", 64, 100, Specs.Group(repeat, Specs.Layer("L", 8, 2, 32, 128))), prefill ? new PrefillSpec(2, 16) : Step, Split(12))).ToList();
        PlanVerifier.CountSteps(plans[1]).ShouldBe(PlanVerifier.CountSteps(plans[0]));
    }

    [Fact]
    public void Gathered_activations_are_stored_and_brought_in_parts_and_recomputed_from_whole()
    {
        var split = new CacheSplit(KvSplitForm.Sequential, new Dictionary<string, Amount> { [""] = 12 }) { Activations = ActivationTransfer.Gathered };
        var deployment = HostCaches.Of(_normed, Step, ranks: 2);
        var decode = PlanEmission.Emit(StepPlanner.Plan(deployment, Step, PublishedRule.Nothing, split), deployment, 0);
        PlanVerifier.Verify(decode).ShouldBeEmpty();
        // 64 columns of 2 bytes over 2 ranks, in 2 sequences.
        decode.Tensors.Single(t => t.Name == "x").UnitBytes.ShouldBe(2 * 32 * 2);
        var gather = decode.Instructions().First(i => i.Label == "gather_x");
        gather.Operation.ShouldBe(new CollectiveOperation(CollectiveKind.AllGather, 12 * 2 * 32 * 2, 2));
        decode.Instructions().Where(i => i.Operation is RecomputeOperation).ShouldAllBe(i => i.Reads[0].Tensor == "x_whole");
        var prefill = PlanEmission.Emit(StepPlanner.Plan(deployment, new PrefillSpec(2, 16), PublishedRule.Nothing, split), deployment, 0);
        PlanVerifier.Verify(prefill).ShouldBeEmpty();
        prefill.Tensors.Single(t => t.Name == "x").Bytes.ShouldBe(decode.Tensors.Single(t => t.Name == "x").Bytes);

        // A rank's own part does not do.
        var part = decode with { Body = Changed(decode.Body, i => i.Operation is RecomputeOperation ? i with { Reads = i.Reads.Select(r => r.Tensor == "x_whole" ? gather.Reads[0] with { Layer = r.Layer } : r).ToArray() } : i) };
        PlanVerifier.Verify(part).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData(9_000)]
    [InlineData(15_000)]
    [InlineData(30_000)]
    public void What_is_prefetched_beside_a_gathering_leaves_room_for_what_the_projection_has_not_read_yet(int room)
    {
        // Gathering activations needs only a copy: it may begin while the window before it is still full.
        var split = new CacheSplit(KvSplitForm.Sequential, new Dictionary<string, Amount> { [""] = 12 }) { Activations = ActivationTransfer.Gathered };
        var deployment = HostCaches.Of(_normed, Step, ranks: 2, prefetch: PrefetchPolicy.Paper);
        var plan = PlanEmission.Emit(StepPlanner.Plan(deployment, Step, StepPlanner.RuleOf(PrefetchPolicy.Paper, room), split), deployment, room);
        plan.Instructions().ShouldContain(i => i.Operation is PrefetchOperation);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
    }

    public static TheoryData<string, Func<Instruction, Instruction?>> Faults => new()
    {
        { "the copy of keys and values is left out", i => i.Label == "load_kv_even" ? null : i },
        { "the copy of activations is left out", i => i.Label == "load_x_odd" ? null : i },
        { "the recomputation is left out", i => i.Operation is RecomputeOperation ? null : i },
        { "new entries are not stored", i => i.Label == "save_kv" ? null : i },
        { "a token is neither recomputed nor transferred", i => i.Label == "load_kv_even" ? i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(13, Amount.Context) } } } : i },
        { "a token is recomputed and transferred", i => i.Label == "load_kv_even" ? i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(11, Amount.Context) } } } : i },
        { "other tokens' activations are brought", i => i.Label == "load_x_even" ? i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(1, 13) } } } : i },
        { "fewer tokens are recomputed than activations were brought", i => i.Operation is RecomputeOperation o ? i with { Operation = o with { Tokens = 11 } } : i },
        { "query heads shape the keys", i => i.Operation is RecomputeOperation o ? i with { Operation = o with { KeyValueHeads = 8 } } : i },
        { "the keys of the first layer alone are not rotated", i => i.Operation is RecomputeOperation o && i.Reads.Any(r => r.Layer.Value == 0) ? i with { Operation = o with { Rotates = false } } : i },
        { "keys are not rotated", i => i.Operation is RecomputeOperation o ? i with { Operation = o with { Rotates = false } } : i },
        { "the recomputation does not wait", i => i.Operation is RecomputeOperation ? i with { Waits = default } : i },
        { "the attention does not wait", i => i.Operation is AttentionOperation ? i with { Waits = default } : i },
        { "a copy does not wait for the attention before", i => i.Stream == StreamKind.HostToDevice ? i with { Waits = default } : i },
        { "what is stored is not waited for", i => i.Label == "save_kv" ? i with { Waits = default } : i },
        { "the attention leaves out what was recomputed", i => i.Operation is AttentionOperation ? i with { Reads = i.Reads.Where(r => r.Tensor != "kv_remade").ToArray() } : i },
        { "a kernel reads host memory", i => i.Operation is RecomputeOperation ? i with { Reads = i.Reads.Select(r => r.Tensor.StartsWith("x_past", StringComparison.Ordinal) ? r with { Tensor = "x" } : r).ToArray() } : i },
    };

    [Fact]
    public void A_prefill_that_does_not_store_every_layers_activations_once_is_refused()
    {
        var plan = PlanOf(_grouped, new PrefillSpec(2, 16), Split(12)).Unroll();
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        Faults(i => i.Writes.Any(w => w.Tensor == "x" && w.Layer.Value == 3) ? null : i).ShouldContain(f => f.Message == "'x' of layer 3 is stored 0 times, and not 1");
        Faults(i => i.Writes.Any(w => w.Tensor == "x" && w.Layer.Value == 3) ? i with { Reads = new[] { i.Reads[0] with { Layer = LayerIndex.Of(2) } }, Writes = new[] { i.Writes[0] with { Layer = LayerIndex.Of(2) } } } : i)
            .ShouldContain(f => f.Message == "'x' of layer 2 is stored 2 times, and not 1");

        IReadOnlyList<PlanFault> Faults(Func<Instruction, Instruction?> change) =>
            PlanVerifier.Verify(plan with { Body = plan.Body.Cast<Instruction>().Select(change).OfType<PlanNode>().ToArray() });
    }

    [Fact]
    public void Layers_whose_caches_or_activations_are_exchanged_are_refused()
    {
        foreach (var step in new[] { new PrefillSpec(2, 16), Step })
        {
            var plan = PlanOf(_grouped, step, Split(12)).Unroll();
            foreach (var tensors in new[] { new[] { "x" }, ["kv"], ["x", "kv"] })
            {
                var wrong = plan with { Body = plan.Body.Select(n => (PlanNode)Exchanged((Instruction)n, tensors)).ToArray() };
                wrong.ShouldNotBe(plan);
                PlanVerifier.Verify(wrong).ShouldNotBeEmpty(string.Join(" and ", tensors));
            }
        }

        // On the host's side of every copy, layer 2 becomes layer 3, and 3 becomes 2.
        static Instruction Exchanged(Instruction instruction, string[] tensors)
        {
            return instruction.Operation is not TransferOperation ? instruction
                : instruction with { Reads = instruction.Reads.Select(Other).ToArray(), Writes = instruction.Writes.Select(Other).ToArray() };

            TensorReference Other(TensorReference r) => tensors.Contains(r.Tensor) && r.Layer.Value is 2 or 3 ? r with { Layer = LayerIndex.Of(5 - r.Layer.Value) } : r;
        }
    }

    [Fact]
    public void Activations_are_recomputed_from_position_0_on()
    {
        // At a context of the prompt alone, the last tokens' activations with the first tokens' keys and values would cover every token once.
        var plan = PlanOf(_grouped, new DecodeSpec(2, 16, Total: false, Prompt: 16), Split(12));
        var wrong = plan with
        {
            Body = Changed(plan.Body, i => i.Label.StartsWith("load_x", StringComparison.Ordinal) ? i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(4, 16) } } }
                : i.Label.StartsWith("load_kv", StringComparison.Ordinal) ? i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(0, 4) } } } : i),
        };
        PlanVerifier.Verify(wrong).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(2, 12)]
    public void What_a_prefill_stores_is_what_keys_and_values_are_projected_from(int sequences, int tokens)
    {
        // The residual stream has as many bytes as its norm.
        var plan = PlanOf(_grouped, new PrefillSpec(sequences, 16), Split(tokens)).Unroll();
        var stores = tokens < 16 ? "store_x" : "save_x";
        var wrong = plan with
        {
            Body = Changed(plan.Body, i => i.Label == stores && i.Reads[0].Layer.Value == 3 ? i with { Reads = new[] { i.Reads[0] with { Tensor = "h" } } } : i),
        };
        wrong.ShouldNotBe(plan);
        PlanVerifier.Verify(wrong).ShouldContain(f => f.Message == "stores 'h' of layer 3, from which 'qkv' does not make the keys and values");
    }

    public static TheoryData<string, Func<Instruction, Instruction>> OtherProjections { get; } = new()
    {
        { "with no weight of its layer's projection", i => i with { Reads = i.Reads.Take(1).ToArray() } },
        { "with no weight of its layer's projection", i => i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Layer = Next(i.Reads[1].Layer) }, i.Reads[2] with { Layer = Next(i.Reads[2].Layer) }, i.Reads[3] } } },
        { "without 'qkv_bias', which 'qkv' reads", i => i with { Reads = new[] { i.Reads[0], i.Reads[1], i.Reads[3] } } },
        { "and they are at the end of its 49152 bytes", i => i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Range = new UnitRange(0, 256 * 64 * 2) }, i.Reads[2], i.Reads[3] } } },
        { "and they take 32768", i => i with { Reads = new[] { i.Reads[0], i.Reads[1] with { Range = null }, i.Reads[2] with { Range = null }, i.Reads[3] } } },
        { "with another part of 'qkv_bias'", i => i with { Reads = new[] { i.Reads[0], i.Reads[1], i.Reads[2] with { Range = null }, i.Reads[3] } } },
        { "without their norm, 'k_norm_weight'", i => i with { Operation = (RecomputeOperation)i.Operation with { Normalises = false }, Reads = i.Reads.Take(3).ToArray() } },
        { "without their norm, 'k_norm_weight'", i => i with { Reads = i.Reads.Take(3).ToArray() } },
        { "with a part of their norm, 'k_norm_weight'", i => i with { Reads = new[] { i.Reads[0], i.Reads[1], i.Reads[2], i.Reads[3] with { Range = new UnitRange(0, 32) } } } },
        { "in 8 heads of 16, and 'attention' takes 2 in 4 of 32", i => i with { Operation = (RecomputeOperation)i.Operation with { KeyValueHeads = 8, HeadSize = 16 } } },
    };

    [Theory, MemberData(nameof(OtherProjections))]
    public void Keys_and_values_that_are_made_again_otherwise_than_they_were_made_are_refused(string message, Func<Instruction, Instruction> change)
    {
        var plan = PlanOf(_normed, Step, Split(12)).Unroll();
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        var index = Instructions(plan).ToList().FindIndex(i => i.Operation is RecomputeOperation);
        var wrong = plan with { Body = plan.Body.Select((n, i) => i == index ? change((Instruction)n) : n).ToArray() };
        PlanVerifier.Verify(wrong).ShouldHaveSingleItem().Message.ShouldContain(message);
    }

    private static LayerIndex Next(LayerIndex layer) => LayerIndex.Of(layer.Value + 1);

    [Fact]
    public void Values_that_are_not_as_large_as_the_entries_they_hold_are_refused()
    {
        var plan = PlanOf(_grouped, Step, Split(12));
        foreach (var value in new[] { "kv_remade", "kv_past_even", "x_past_even" })
        {
            var smaller = plan with { Tensors = plan.Tensors.Select(t => t.Name == value ? t with { Units = t.Units - 64 } : t).ToArray() };
            PlanVerifier.Verify(smaller).ShouldNotBeEmpty(value);
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public void A_plan_in_which_something_is_wrong_is_refused(string what, Func<Instruction, Instruction?> change)
    {
        var plan = PlanOf(_grouped, Step, Split(12));
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        var wrong = plan with { Body = Changed(plan.Body, change) };
        wrong.ShouldNotBe(plan);
        PlanVerifier.Verify(wrong).ShouldNotBeEmpty(what);
    }

    private static StepSpec Step => new DecodeSpec(2, 20, Total: false, Prompt: 16);

    private static CacheSplit Split(int tokens) => new(KvSplitForm.Sequential, new Dictionary<string, Amount> { [""] = tokens });

    private static IEnumerable<Instruction> Instructions(ExecutionPlan unrolled) => unrolled.Body.Cast<Instruction>();

    private static EquatableArray<PlanNode> Changed(EquatableArray<PlanNode> body, Func<Instruction, Instruction?> change) => body
        .Select(n => n is Repeat r ? r with { Body = Changed(r.Body, change) } : (PlanNode?)change((Instruction)n)).OfType<PlanNode>().ToArray();

    private static ExecutionPlan PlanOf(ModelSpec model, StepSpec step, CacheSplit split)
    {
        var deployment = HostCaches.Of(model, step);
        var plan = PlanEmission.Emit(StepPlanner.Plan(deployment, step, PublishedRule.Nothing, split), deployment, 0);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        return plan;
    }
}
