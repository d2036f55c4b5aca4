using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Core.Tests;

public class DeploymentRulesTests
{
    private static readonly ModelSpec s_learned = SampleSpecs.With(SampleSpecs.Layer with { Position = Position.Learned });

    public static TheoryData<string, DeploymentSpec, SpecificationPlace> Faulty => new()
    {
        { "no ranks", SampleSpecs.Deployment with { TensorParallel = 0 }, new DeploymentPlace("TensorParallel") },
        { "query heads", SampleSpecs.Deployment with { TensorParallel = 16 }, new DeploymentPlace("TensorParallel") },
        { "format", SampleSpecs.Deployment with { KeyValues = (Precision)9 }, new DeploymentPlace("KeyValues") },
        { "policy", SampleSpecs.Deployment with { Prefetch = (PrefetchPolicy)9 }, new DeploymentPlace("Prefetch") },
        { "targets", SampleSpecs.Deployment with { PrefetchTargets = (PrefetchTargets)9 }, new DeploymentPlace("PrefetchTargets") },
        { "blocks", SampleSpecs.Deployment with { KeyValueBlockTokens = 65_537 }, new DeploymentPlace("KeyValueBlockTokens") },
        { "fusion", SampleSpecs.Deployment with { CollectiveFusion = (CollectiveFusion)9 }, new DeploymentPlace("CollectiveFusion") },
        { "fusion on one rank", SampleSpecs.Deployment with { TensorParallel = 1, CollectiveFusion = CollectiveFusion.MatMul }, new DeploymentPlace("CollectiveFusion") },
        { "norm between two collectives", SampleSpecs.Deployment with { SequenceParallel = true, CollectiveFusion = CollectiveFusion.Norm }, new DeploymentPlace("CollectiveFusion") },
        { "tokens shared by one rank", SampleSpecs.Deployment with { TensorParallel = 1, SequenceParallel = true }, new DeploymentPlace("SequenceParallel") },
        { "tokens not divisible", With(new DecodeSpec(4, 128, Total: false), new DecodeSpec(5, 128, Total: false)) with { SequenceParallel = true }, new StepPlace(1, "Batch") },
        { "no steps", SampleSpecs.Deployment with { Steps = default }, new DeploymentPlace("Steps") },
        { "batch", With(new DecodeSpec(0, 128, Total: false)), new StepPlace(0, "Batch") },
        { "context", With(new DecodeSpec(1, 0, Total: false)), new StepPlace(0, "Context") },
        { "prompt beyond the context", With(new DecodeSpec(1, 100, Total: false, Prompt: 101)), new StepPlace(0, "Prompt") },
        { "negative prompt", With(new DecodeSpec(1, 100, Total: false, Prompt: -1)), new StepPlace(0, "Prompt") },
        { "prompt of a total", With(new DecodeSpec(1, 100, Total: true, Prompt: 10)), new StepPlace(0, "Prompt") },
        { "home", Offloaded(new OffloadSpec((Home)7)), new DeploymentPlace("KeyValueHome") },
        { "home of weights", Offloaded(new OffloadSpec(Weights: (Home)7)), new DeploymentPlace("WeightHome") },
        { "objective", Offloaded(new OffloadSpec(Objective: (Objective)7)), new DeploymentPlace("Objective") },
        { "batches per layer", Offloaded(new OffloadSpec(Weights: Home.Host, Objective: Objective.Throughput, BatchesPerLayer: 1025)), new DeploymentPlace("BatchesPerLayer") },
        { "recompute", Offloaded(new OffloadSpec(Recompute: (RecomputePolicy)7)), new DeploymentPlace("Recompute") },
        { "throughput of nothing", Offloaded(new OffloadSpec(Objective: Objective.Throughput)), new DeploymentPlace("Objective") },
        { "batches row by row", Offloaded(new OffloadSpec(Weights: Home.Host, BatchesPerLayer: 2)), new DeploymentPlace("BatchesPerLayer") },
        { "activations that nobody stores", Offloaded(new OffloadSpec(Home.Host, StoredActivations: Precision.Int8, Recompute: RecomputePolicy.None)), new DeploymentPlace("StoredActivations") },
        { "no prompt", Offloaded(new OffloadSpec(Home.Host)) with { Steps = new StepSpec[] { new DecodeSpec(4, 128, Total: false) } }, new StepPlace(0, "Context") },
        { "cached", With(new DecodeSpec(4, 3, Total: true)), new StepPlace(0, "CachedTokens") },
        { "beyond the table", Learned(128, new DecodeSpec(4, 127, Total: false), new DecodeSpec(4, 128, Total: false)), new StepPlace(1, "Context") },
        { "beyond the table in all", Learned(128, new DecodeSpec(4, 508, Total: true), new DecodeSpec(4, 509, Total: true)), new StepPlace(1, "CachedTokens") },
        { "prompt beyond the table", Learned(128, new PrefillSpec(4, 128), new PrefillSpec(4, 129)), new StepPlace(1, "Tokens") },
        { "beyond the tokens of the table", Offset(new DecodeSpec(4, 127, Total: false), new DecodeSpec(4, 128, Total: false)), new StepPlace(1, "Context") },
        { "beyond the tokens of the table in all", Offset(new DecodeSpec(4, 508, Total: true), new DecodeSpec(4, 509, Total: true)), new StepPlace(1, "CachedTokens") },
        { "prompt beyond the tokens of the table", Offset(new PrefillSpec(4, 128), new PrefillSpec(4, 129)), new StepPlace(1, "Tokens") },
        { "tokens", With(new PrefillSpec(1, 0)), new StepPlace(0, "Tokens") },
        { "rows", With(new PrefillSpec(65_536, 65_536)), new StepPlace(0, "Tokens") },
        { "twice", With(new PrefillSpec(1, 1), new DecodeSpec(1, 1, Total: false), new PrefillSpec(1, 1)), new StepPlace(2, "Batch") },
        {
            "normed heads", With(new PrefillSpec(1000, 34_000)) with
            {
                TensorParallel = 1,
                Model = SampleSpecs.With(SampleSpecs.Of("Layer", SampleSpecs.Attention with { Heads = 64, KeyValueHeads = 1, HeadSize = 1, QueryKeyNorm = true }, 8)),
            },
            new StepPlace(0, "Batch")
        },
        {
            "work", OfManyLayers(new PrefillSpec(64, 16_777_216)),
            new StepPlace(0, "Batch")
        },
    };

    [Fact]
    public void A_sound_deployment_has_no_faults() => DeploymentRules.Check(SampleSpecs.Deployment, modelIsSound: true).ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(Faulty))]
    public void A_fault_names_its_place(string what, DeploymentSpec deployment, SpecificationPlace place) =>
        DeploymentRules.Check(deployment, modelIsSound: true).ShouldHaveSingleItem(what).Place.ShouldBe(place);

    [Fact]
    public void What_lives_in_host_memory_is_sound_with_its_options()
    {
        var generation = SampleSpecs.Deployment with { Steps = new StepSpec[] { new PrefillSpec(4, 100), new DecodeSpec(4, 130, Total: false, Prompt: 100) } };
        DeploymentRules.Check(generation with { Offload = new OffloadSpec(Home.Host, Home.Host, Objective.Throughput, 1024, Precision.Int4) }, modelIsSound: true).ShouldBeEmpty();
        DeploymentRules.Check(Offloaded(new OffloadSpec(Home.Host, Recompute: RecomputePolicy.None)), modelIsSound: true).ShouldBeEmpty();
    }

    [Fact]
    public void Four_bit_groups_have_a_scale()
    {
        // 0.5625 bytes an element.
        Precision.Int4.BitsOfGroup().ShouldBe(144);
        Precision.Int4.CachedBytes(5120).ShouldBe(5120 * 144 / 32 / 8);
        Precision.Int4.CachedBytes(33).ShouldBe(17 + 4);
        Precision.Fp8.CachedBytes(33).ShouldBe(33);
        Precision.Int8.BitsOfGroup().ShouldBe(256);
        Precision.Bf16.BitsOfGroup().ShouldBe(512);
    }

    [Fact]
    public void Tokens_are_shared_evenly_or_not_at_all()
    {
        var deployment = SampleSpecs.Deployment with { TensorParallel = 4, SequenceParallel = true };
        DeploymentRules.Check(deployment with { Steps = new StepSpec[] { new DecodeSpec(8, 128, Total: false), new PrefillSpec(1, 12) } }, modelIsSound: true).ShouldBeEmpty();
        DeploymentRules.Check(deployment with { Steps = new StepSpec[] { new PrefillSpec(3, 5) } }, modelIsSound: true).ShouldHaveSingleItem().Message
            .ShouldBe("SequenceParallel divides the 15 new tokens of the step 'prefill batch 3 tokens 5' over 4 ranks; they must be a multiple of 4");
    }

    /// <summary>Steps with two faults of which neither follows from the other, and the properties that both name.</summary>
    public static TheoryData<string, DeploymentSpec, string[]> FaultyTwice => new()
    {
        { "shares and rows", With(new PrefillSpec(65_535, 65_535)) with { SequenceParallel = true, TensorParallel = 8 }, ["Batch", "Tokens"] },
        { "shares and work", OfManyLayers(new PrefillSpec(63, 16_777_215)) with { SequenceParallel = true, TensorParallel = 8 }, ["Batch", "Batch"] },
        { "table and rows", Learned(128, new PrefillSpec(65_536, 65_536)), ["Tokens", "Tokens"] },
        { "less than a token each, and work", OfManyLayers(new DecodeSpec(65_536, 16_777_216, Total: false)) with { SequenceParallel = true, TensorParallel = 3 }, ["TensorParallel", "TensorParallel", "Batch", "Batch"] },
        { "negative prompt of no context", With(new DecodeSpec(4, 0, Total: false, Prompt: -1)), ["Context", "Prompt"] },
        { "no prompt and no context", With(new DecodeSpec(4, 0, Total: false)) with { Offload = new OffloadSpec(Home.Host) }, ["Context", "Context"] },
        { "no prompt and cached", With(new DecodeSpec(4, 0, Total: true)) with { Offload = new OffloadSpec(Home.Host) }, ["CachedTokens", "CachedTokens"] },
    };

    [Theory]
    [MemberData(nameof(FaultyTwice))]
    public void No_fault_of_a_step_hides_another(string what, DeploymentSpec deployment, string[] properties) =>
        DeploymentRules.Check(deployment, modelIsSound: true).Select(f => f.Place.Property).ShouldBe(properties, what);

    [Fact]
    public void A_step_that_is_at_fault_is_declared_twice_all_the_same()
    {
        var twice = With(new DecodeSpec(3, 128, Total: false), new DecodeSpec(3, 128, Total: false)) with { SequenceParallel = true };
        var faults = DeploymentRules.Check(twice, modelIsSound: true);
        faults.Select(f => f.Place).ShouldBe([new StepPlace(0, "Batch"), new StepPlace(1, "Batch")]);
        faults[1].Message.ShouldBe("the step 'decode batch 3 context 128' is declared twice");
    }

    /// <summary>A value that is no factor of a size keeps none from being told.</summary>
    [Fact]
    public void A_size_waits_for_its_own_factors_alone()
    {
        var deployment = OfManyLayers(new PrefillSpec(64, 16_777_216));
        foreach (var other in new SpecificationPlace[] { new ModelPlace("Name"), new ModelPlace("MaxPositions"), new LayerPlace(0, 0, "Name"), new LayerPlace(0, 0, "Position"), new LayerPlace(0, 0, "Window") })
            DeploymentRules.Check(deployment, [other]).ShouldHaveSingleItem(other.ToString()).Place.ShouldBe(new StepPlace(0, "Batch"));
        foreach (var factor in new SpecificationPlace[] { new ModelPlace("Hidden"), new ModelPlace("Stack"), new GroupPlace(0, "Repeat"), new LayerPlace(0, 0, "Heads"), new DeploymentPlace("Model") })
            DeploymentRules.Check(deployment, [factor]).ShouldBeEmpty(factor.ToString());
    }

    [Fact]
    public void A_degree_is_not_judged_by_a_faulty_model() =>
        DeploymentRules.Check(SampleSpecs.Deployment with { Model = SampleSpecs.Model with { Stack = default } }, modelIsSound: false).ShouldBeEmpty();

    [Fact]
    public void A_degree_is_judged_by_what_is_sound_of_the_model()
    {
        var odd = SampleSpecs.Of("Odd", SampleSpecs.Attention with { Heads = 9, KeyValueHeads = 9 });
        var deployment = SampleSpecs.Deployment with { Model = SampleSpecs.With(SampleSpecs.Layer, odd), TensorParallel = 2 };
        DeploymentRules.Check(deployment, []).ShouldHaveSingleItem().ShouldBeOfType<DegreeFault>().Layer.ShouldBe("Odd");
        DeploymentRules.Check(deployment, [new ModelPlace("Hidden"), new LayerPlace(0, 0, "Heads")]).ShouldHaveSingleItem().ShouldBeOfType<DegreeFault>();
        DeploymentRules.Check(deployment, [new LayerPlace(0, 1, "Heads"), new LayerPlace(0, 1, "KeyValueHeads")]).ShouldBeEmpty();
        DeploymentRules.NearestDegree(deployment, [new ModelPlace("Hidden")]).ShouldBe(1);
    }

    [Fact]
    public void A_step_of_which_a_value_is_not_known_is_no_other_one_again()
    {
        var twice = With(new DecodeSpec(1, 1, Total: false), new DecodeSpec(1, 1, Total: false));
        DeploymentRules.Check(twice, []).ShouldHaveSingleItem();
        DeploymentRules.Check(twice, [new StepPlace(0, "Batch")]).ShouldBeEmpty();
    }

    /// <summary>Whatever is wrong with a model, where its faults are named no rule looks at them, and none fails.</summary>
    [Fact]
    public void A_deployment_is_judged_beside_any_faults_of_its_model()
    {
        var values = Gen.Elements(-1, 0, 1, 3, 8, 64, int.MaxValue, int.MinValue);
        var models =
            from hidden in values
            from learned in values
            from heads in values
            from keyValueHeads in values
            from headSize in values
            from intermediate in values
            from repeat in values
            select (SampleSpecs.Model with { Hidden = hidden, LearnedPositions = learned }) with
            {
                Stack = new[]
                {
                    new LayerGroup(new[] { SampleSpecs.Of("Layer", SampleSpecs.Attention with { Heads = heads, KeyValueHeads = keyValueHeads, HeadSize = headSize, QueryKeyNorm = true }, intermediate) }, repeat),
                },
            };
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20_251, 5), Prop.ForAll(models.ToArbitrary(), model =>
        {
            var deployment = SampleSpecs.Deployment with { Model = model, TensorParallel = 3, SequenceParallel = true };
            var unsound = ModelRules.Check(model).Select(f => f.Place).ToList();
            DeploymentRules.Check(deployment, unsound).ShouldNotContain(f => unsound.Contains(f.Place));
            DeploymentRules.NearestDegree(deployment with { SequenceParallel = false }, unsound).ShouldNotBeNull();
        }));
    }

    /// <summary>Of few KV heads each rank holds one whole: the ranks are then a multiple of the heads.</summary>
    [Fact]
    public void A_degree_is_accepted_if_and_only_if_every_rank_gets_the_same() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20_251, 1),
        Prop.ForAll(
            (from keyValueHeads in Gen.Choose(1, 16)
             from share in Gen.Choose(1, 8)
             from intermediate in Gen.Choose(1, 64)
             from degree in Gen.Choose(1, 32)
             select (keyValueHeads, heads: keyValueHeads * share, intermediate, degree)).ToArbitrary(),
            c =>
            {
                var layer = SampleSpecs.Of("Layer", SampleSpecs.Attention with { Heads = c.heads, KeyValueHeads = c.keyValueHeads }, c.intermediate);
                var faults = DeploymentRules.Check(SampleSpecs.Deployment with { Model = SampleSpecs.With(layer), TensorParallel = c.degree }, modelIsSound: true);
                var even = c.heads % c.degree == 0 && c.intermediate % c.degree == 0
                    && (c.keyValueHeads % c.degree == 0 || c.degree % c.keyValueHeads == 0);
                return faults.Count == 0 == even;
            }));

    [Theory]
    [InlineData(16, 8)]
    [InlineData(3, 2)] // as near as 4, and replicates no more heads
    [InlineData(2, 2)]
    [InlineData(0, 1)]
    [InlineData(2_000, 8)]
    public void The_nearest_degree_is_the_nearest_that_is_accepted(int degree, int nearest) =>
        DeploymentRules.NearestDegree(SampleSpecs.Deployment with { TensorParallel = degree }, []).ShouldBe(nearest);

    /// <summary>32 query and 8 key and value heads: 16 is as near, and would have each of those twice.</summary>
    [Fact]
    public void The_nearest_degree_replicates_no_heads_where_another_as_near_does_not()
    {
        var layer = SampleSpecs.Of("Layer", SampleSpecs.Attention with { Heads = 32, KeyValueHeads = 8 }, intermediate: 14_336);
        var deployment = SampleSpecs.Deployment with { Model = SampleSpecs.With(layer), TensorParallel = 12 };
        DeploymentRules.NearestDegree(deployment, []).ShouldBe(8);
        DeploymentAdvice.Of(deployment with { TensorParallel = 8 }).ShouldNotContain(a => a is ReplicatedHeadsAdvice);
        DeploymentAdvice.Of(deployment with { TensorParallel = 16 }).ShouldContain(a => a is ReplicatedHeadsAdvice);
    }

    [Theory]
    [InlineData(3, 4, 4)]
    [InlineData(3, 8, 8)]
    [InlineData(3, 16, 2)] // none fits: the nearest
    [InlineData(16, 2, 8)]
    public void The_nearest_degree_is_one_that_fits_where_there_is_one(int degree, int leastThatFits, int nearest) =>
        DeploymentRules.NearestDegree(SampleSpecs.Deployment with { TensorParallel = degree }, [], d => d.TensorParallel >= leastThatFits).ShouldBe(nearest);

    /// <summary>Its sizes are then not known.</summary>
    [Fact]
    public void What_fits_is_not_asked_of_a_deployment_with_other_faults()
    {
        var deployment = SampleSpecs.Deployment with { TensorParallel = 3 };
        DeploymentRules.NearestDegree(deployment with { Steps = default }, [], _ => throw new InvalidOperationException()).ShouldBe(2);
        DeploymentRules.NearestDegree(deployment, [new ModelPlace("Hidden")], _ => throw new InvalidOperationException()).ShouldBe(2);
    }

    [Fact]
    public void The_nearest_degree_keeps_the_other_rules_too()
    {
        var odd = SampleSpecs.Deployment with { Model = SampleSpecs.With(SampleSpecs.Of("Layer", SampleSpecs.Attention, intermediate: 2047)), TensorParallel = 2 };
        DeploymentRules.NearestDegree(odd, []).ShouldBe(1);
        DeploymentRules.NearestDegree(odd with { SequenceParallel = true }, []).ShouldBeNull();
        // Other faults do not hang on it.
        DeploymentRules.NearestDegree(odd with { Steps = default }, []).ShouldBe(1);
    }

    private static DeploymentSpec Offloaded(OffloadSpec offload) => SampleSpecs.Deployment with { Offload = offload };

    private static DeploymentSpec Learned(int rows, params StepSpec[] steps) => With(steps) with { Model = s_learned with { LearnedPositions = rows } };

    /// <summary>A table of 130 rows for 128 tokens, as OPT's has two more.</summary>
    private static DeploymentSpec Offset(params StepSpec[] steps) => With(steps) with { Model = s_learned with { MaxPositions = 128, LearnedPositions = 130 } };

    private static DeploymentSpec OfManyLayers(params StepSpec[] steps) =>
        With(steps) with { Model = SampleSpecs.Model with { Stack = new[] { new LayerGroup(new[] { SampleSpecs.Layer }, 100_000) } } };

    private static DeploymentSpec With(params StepSpec[] steps) => SampleSpecs.Deployment with { Steps = steps };
}
