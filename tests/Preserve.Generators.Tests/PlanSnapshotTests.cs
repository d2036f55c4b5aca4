namespace Preserve.Generators.Tests;

/// <summary>Emitted files as a person reads them.</summary>
public class PlanSnapshotTests
{
    [Fact]
    public void Llama3_70B_on_eight_Ascend_910B2() => Match("Llama3_70B", "Devices.Ascend910B2, TensorParallel = 8, Weights = Precision.Int8, Activations = Precision.Int8, KeyValues = Precision.Int8",
        "Decode(Batch = 4, Context = 16_384), Decode(Batch = 64, Context = 4_096), Prefill(Batch = 1, Tokens = 2_048)");

    [Fact]
    public void Opt_30B_on_two_A100() => Match("Opt30B", "Devices.A100Sxm80, TensorParallel = 2", "Decode(Batch = 8, Context = 1_024)");

    [Fact]
    public void Gemma2_27B_on_four_H100() => Match("Gemma2_27B", "Devices.H100, TensorParallel = 4", "Decode(Batch = 16, Context = 8_192)");

    [Fact]
    public void Qwen3_32B_on_one_MI300X_with_mixed_contexts() => Match("Qwen3_32B", "Devices.MI300X, KeyValues = Precision.Fp8", "Decode(Batch = 64, CachedTokens = 150_000)");

    [Fact]
    public void Llama3_70B_with_shared_tokens() => Match("Llama3_70B", "Devices.H100, TensorParallel = 4, SequenceParallel = true",
        "Decode(Batch = 64, Context = 4_096), Prefill(Batch = 2, Tokens = 4_096)");

    [Fact]
    public void Llama3_70B_with_fused_norms() => Match("Llama3_70B", "Devices.H100, TensorParallel = 8, CollectiveFusion = CollectiveFusion.Norm", "Decode(Batch = 64, Context = 4_096)");

    [Fact]
    public void Llama3_70B_with_fused_matmuls() => Match("Llama3_70B",
        "Devices.Ascend910B2, TensorParallel = 8, CollectiveFusion = CollectiveFusion.MatMul, Weights = Precision.Int8, Activations = Precision.Int8, KeyValues = Precision.Int8",
        "Decode(Batch = 4, Context = 16_384)");

    [Fact]
    public void Llama3_70B_with_a_paged_cache() => Match("Llama3_70B",
        "Devices.Ascend910B2, TensorParallel = 8, KeyValueBlockTokens = 128, Weights = Precision.Int8, Activations = Precision.Int8, KeyValues = Precision.Int8",
        "Decode(Batch = 4, Context = 16_384)");

    [Fact]
    public void Opt_30B_column_by_column_on_one_A100() => Match("Opt30B",
        "Devices.A100Sxm40, KeyValueHome = Home.Host, WeightHome = Home.Host, Objective = Objective.Throughput, BatchesPerLayer = 2",
        "Generation(Batch = 32, Prompt = 512, Tokens = 32)");

    [Fact]
    public void Two_kinds_of_layers()
    {
        var run = GeneratorRun.Of("""
            using Preserve;

            [Model(Hidden = 4096, Vocabulary = 32_000)]
            [Layers(typeof(Wide), Repeat = 3)]
            [Layers(typeof(Narrow), Repeat = 58)]
            public static class TwoKinds
            {
                [Layer]
                [Attention(Heads = 32, KeyValueHeads = 8)]
                [FeedForward(Intermediate = 16_384)]
                public sealed class Wide;

                [Layer]
                [Attention(Heads = 32, KeyValueHeads = 8)]
                [FeedForward(Intermediate = 8_192)]
                public sealed class Narrow;
            }

            [Deployment(typeof(TwoKinds), Devices.H200, TensorParallel = 4, Weights = Precision.Fp8)]
            [Decode(Batch = 32, Context = 8_192)]
            public sealed partial class TwoKindsDeployed : Deployment;
            """);
        run.ShouldCompile();
        Snapshot.Match(run.Source);
    }

    /// <summary>A plan is rolled: it grows with the kinds of layers, not with their number.</summary>
    [Fact]
    public void Ten_times_the_layers_are_no_longer_a_text()
    {
        var few = GeneratorRun.Of(Declarations.Small.With("Repeat = 4", "Repeat = 80")).Source.Length;
        var many = GeneratorRun.Of(Declarations.Small.With("Repeat = 4", "Repeat = 800")).Source.Length;
        many.ShouldBeInRange((int)(few * 0.95), (int)(few * 1.05));
    }

    private static void Match(string model, string arguments, string steps, [System.Runtime.CompilerServices.CallerMemberName] string method = "")
    {
        var run = GeneratorRun.Of(PublishedModels.Deployed(model, arguments, steps));
        run.ShouldCompile();
        Snapshot.Match(run.Source, method: method);
    }
}
