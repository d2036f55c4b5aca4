using System.Reflection;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>Every property of every attribute counts: changed alone, it changes what is emitted. A property without a case
/// fails, so that a new one is not forgotten by the parser.</summary>
public class PropertyTests
{
    private const string Source = """
        using Preserve;

        namespace App;

        [Model(Name = "small", Hidden = 512, Vocabulary = 1000, MaxPositions = 4096, TiedEmbeddings = false, LearnedPositions = 300,
            EmbeddingScale = false, FinalNorm = Norm.Rms, LogitSoftCap = false, HeadBias = false)]
        [Layers(typeof(DecoderLayer), Repeat = 4)]
        [Layers(typeof(OtherLayer))]
        public static class Small
        {
            [Layer(Norm = Norm.Layer, PostNorm = false, Position = Position.Learned, Parallel = false)]
            [Attention(Heads = 8, KeyValueHeads = 4, HeadSize = 64, Bias = ProjectionBias.None, QueryKeyNorm = false, Window = 100, SoftCap = false)]
            [FeedForward(Intermediate = 2048, Activation = Activation.SwiGlu, Bias = false)]
            public sealed class DecoderLayer;

            [Layer(Norm = Norm.Layer, Position = Position.Learned, Parallel = true, SeparateNorms = false)]
            [Attention(Heads = 8)]
            [FeedForward(Intermediate = 1024)]
            public sealed class OtherLayer;
        }

        [Model(Hidden = 512, Vocabulary = 1000, LearnedPositions = 200)]
        [Layers(typeof(Small.DecoderLayer), Repeat = 2)]
        public static class Other;

        [Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2, Weights = Precision.Bf16, Activations = Precision.Bf16,
            KeyValues = Precision.Bf16, Prefetch = PrefetchPolicy.Paper, SeparateProjections = false, SequenceParallel = false,
            CollectiveFusion = CollectiveFusion.None, PrefetchTargets = PrefetchTargets.Both, KeyValueBlockTokens = 16)]
        [Decode(Batch = 4, Context = 128)]
        [Decode(Batch = 8, CachedTokens = 1000)]
        [Prefill(Batch = 6, Tokens = 32)]
        [Decode(Batch = 10, Context = 64, Prompt = 16)]
        [Generation(Batch = 2, Prompt = 24, Tokens = 12)]
        public sealed partial class Deployed : Deployment;

        """;

    /// <summary>What lives in the host's memory. Keys and values are four times as wide as the activations that they are recomputed from.</summary>
    private const string HostSource = """
        using Preserve;

        namespace App;

        [Model(Hidden = 512, Vocabulary = 1000)]
        [Layers(typeof(DecoderLayer), Repeat = 4)]
        public static class Small
        {
            [Layer]
            [Attention(Heads = 16, HeadSize = 64)]
            [FeedForward(Intermediate = 2048)]
            public sealed class DecoderLayer;
        }

        [Deployment(typeof(Small), Devices.A100Sxm80, KeyValueHome = Home.Host, WeightHome = Home.Host, Objective = Objective.Throughput,
            BatchesPerLayer = 1, StoredActivations = Precision.Bf16, Recompute = RecomputePolicy.Best)]
        [Generation(Batch = 4, Prompt = 100, Tokens = 8)]
        public sealed partial class Deployed : Deployment;

        """;

    /// <summary>The part of the source that gives the property, and another value.</summary>
    private static readonly Dictionary<(Type Attribute, string Property), (string From, string To)> Cases = new()
    {
        [(typeof(ModelAttribute), nameof(ModelAttribute.Name))] = ("\"small\"", "\"smaller\""),
        [(typeof(ModelAttribute), nameof(ModelAttribute.Hidden))] = ("Model(Name = \"small\", Hidden = 512", "Model(Name = \"small\", Hidden = 256"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.Vocabulary))] = ("Vocabulary = 1000, MaxPositions", "Vocabulary = 1200, MaxPositions"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.MaxPositions))] = ("MaxPositions = 4096", "MaxPositions = 2048"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.TiedEmbeddings))] = ("TiedEmbeddings = false", "TiedEmbeddings = true"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.LearnedPositions))] = ("LearnedPositions = 300", "LearnedPositions = 301"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.EmbeddingScale))] = ("EmbeddingScale = false", "EmbeddingScale = true"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.FinalNorm))] = ("FinalNorm = Norm.Rms", "FinalNorm = Norm.Layer"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.LogitSoftCap))] = ("LogitSoftCap = false", "LogitSoftCap = true"),
        [(typeof(ModelAttribute), nameof(ModelAttribute.HeadBias))] = ("HeadBias = false", "HeadBias = true"),
        [(typeof(LayersAttribute), nameof(LayersAttribute.Pattern))] = ("typeof(DecoderLayer)", "typeof(OtherLayer)"),
        [(typeof(LayersAttribute), nameof(LayersAttribute.Repeat))] = ("Repeat = 4", "Repeat = 5"),
        [(typeof(LayerAttribute), nameof(LayerAttribute.Norm))] = ("Norm = Norm.Layer, PostNorm", "Norm = Norm.Rms, PostNorm"),
        [(typeof(LayerAttribute), nameof(LayerAttribute.PostNorm))] = ("PostNorm = false", "PostNorm = true"),
        [(typeof(LayerAttribute), nameof(LayerAttribute.Position))] = (
            "Position = Position.Learned, Parallel = false)]\n    [Attention(Heads = 8, KeyValueHeads",
            "Position = Position.Rotary, Parallel = false)]\n    [Attention(Heads = 8, KeyValueHeads"),
        [(typeof(LayerAttribute), nameof(LayerAttribute.Parallel))] = ("Position.Learned, Parallel = false", "Position.Learned, Parallel = true"),
        [(typeof(LayerAttribute), nameof(LayerAttribute.SeparateNorms))] = ("SeparateNorms = false", "SeparateNorms = true"),
        [(typeof(AttentionAttribute), nameof(AttentionAttribute.Heads))] = ("Heads = 8, KeyValueHeads", "Heads = 16, KeyValueHeads"),
        [(typeof(AttentionAttribute), nameof(AttentionAttribute.KeyValueHeads))] = ("KeyValueHeads = 4", "KeyValueHeads = 2"),
        [(typeof(AttentionAttribute), nameof(AttentionAttribute.HeadSize))] = ("HeadSize = 64", "HeadSize = 32"),
        [(typeof(AttentionAttribute), nameof(AttentionAttribute.Bias))] = ("ProjectionBias.None", "ProjectionBias.All"),
        [(typeof(AttentionAttribute), nameof(AttentionAttribute.QueryKeyNorm))] = ("QueryKeyNorm = false", "QueryKeyNorm = true"),
        [(typeof(AttentionAttribute), nameof(AttentionAttribute.Window))] = ("Window = 100", "Window = 50"),
        [(typeof(AttentionAttribute), nameof(AttentionAttribute.SoftCap))] = (" SoftCap = false", " SoftCap = true"),
        [(typeof(FeedForwardAttribute), nameof(FeedForwardAttribute.Intermediate))] = ("Intermediate = 2048", "Intermediate = 4096"),
        [(typeof(FeedForwardAttribute), nameof(FeedForwardAttribute.Activation))] = ("Activation.SwiGlu", "Activation.Gelu"),
        [(typeof(FeedForwardAttribute), nameof(FeedForwardAttribute.Bias))] = (" Bias = false", " Bias = true"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.Model))] = ("typeof(Small)", "typeof(Other)"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.Device))] = ("Devices.A100Sxm80", "Devices.H100"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.TensorParallel))] = ("TensorParallel = 2", "TensorParallel = 4"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.Weights))] = ("Weights = Precision.Bf16", "Weights = Precision.Int8"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.Activations))] = ("Activations = Precision.Bf16", "Activations = Precision.Int8"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.KeyValues))] = ("KeyValues = Precision.Bf16", "KeyValues = Precision.Int8"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.Prefetch))] = ("PrefetchPolicy.Paper", "PrefetchPolicy.None"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.SeparateProjections))] = ("SeparateProjections = false", "SeparateProjections = true"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.SequenceParallel))] = ("SequenceParallel = false", "SequenceParallel = true"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.PrefetchTargets))] = ("PrefetchTargets.Both", "PrefetchTargets.Weights"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.KeyValueBlockTokens))] = ("KeyValueBlockTokens = 16", "KeyValueBlockTokens = 32"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.CollectiveFusion))] = ("CollectiveFusion.None", "CollectiveFusion.MatMul"),
        [(typeof(DecodeAttribute), nameof(DecodeAttribute.Batch))] = ("Batch = 4", "Batch = 3"),
        [(typeof(DecodeAttribute), nameof(DecodeAttribute.Context))] = ("Context = 128", "Context = 127"),
        [(typeof(DecodeAttribute), nameof(DecodeAttribute.CachedTokens))] = ("CachedTokens = 1000", "CachedTokens = 999"),
        [(typeof(DecodeAttribute), nameof(DecodeAttribute.Prompt))] = ("Prompt = 16", "Prompt = 17"),
        [(typeof(GenerationAttribute), nameof(GenerationAttribute.Batch))] = ("Batch = 2", "Batch = 9"),
        [(typeof(GenerationAttribute), nameof(GenerationAttribute.Prompt))] = ("Prompt = 24", "Prompt = 25"),
        [(typeof(GenerationAttribute), nameof(GenerationAttribute.Tokens))] = ("Tokens = 12", "Tokens = 13"),
        [(typeof(PrefillAttribute), nameof(PrefillAttribute.Batch))] = ("Batch = 6", "Batch = 7"),
        [(typeof(PrefillAttribute), nameof(PrefillAttribute.Tokens))] = ("Tokens = 32", "Tokens = 33"),
    };

    /// <summary>Those of what lives in the host's memory, which needs them together.</summary>
    private static readonly Dictionary<(Type Attribute, string Property), (string From, string To)> HostCases = new()
    {
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.KeyValueHome))] = ("KeyValueHome = Home.Host", "KeyValueHome = Home.Device"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.WeightHome))] = ("WeightHome = Home.Host", "WeightHome = Home.Device"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.Objective))] = ("Objective.Throughput", "Objective.Latency"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.BatchesPerLayer))] = ("BatchesPerLayer = 1", "BatchesPerLayer = 2"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.StoredActivations))] = ("StoredActivations = Precision.Bf16", "StoredActivations = Precision.Int8"),
        [(typeof(DeploymentAttribute), nameof(DeploymentAttribute.Recompute))] = ("RecomputePolicy.Best", "RecomputePolicy.None"),
    };

    /// <summary>Properties that no plan shows: one serves a warning alone, one only allows another, <see cref="DeploymentAttribute.BatchesPerLayer"/>.</summary>
    private static readonly HashSet<(Type, string)> NotInPlans =
    [
        (typeof(ModelAttribute), nameof(ModelAttribute.MaxPositions)),
        (typeof(DeploymentAttribute), nameof(DeploymentAttribute.Objective)),
    ];

    private static readonly Lazy<GeneratorRun> Base = new(() => GeneratorRun.Of(Source));
    private static readonly Lazy<GeneratorRun> HostBase = new(() => GeneratorRun.Of(HostSource));

    public static TheoryData<string, string> Properties
    {
        get
        {
            var data = new TheoryData<string, string>();
            // Summaries are emitted, and declare nothing.
            foreach (var attribute in typeof(ModelAttribute).Assembly.GetExportedTypes().Where(t => t.IsSubclassOf(typeof(Attribute)) && t != typeof(PlanSummaryAttribute)))
            {
                foreach (var property in attribute.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
                    data.Add(attribute.Name, property.Name);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Properties))]
    public void Changes_what_is_emitted(string attribute, string property)
    {
        var key = (typeof(ModelAttribute).Assembly.GetType($"Preserve.{attribute}", throwOnError: true)!, property);
        var ((from, to), source, @base) = HostCases.TryGetValue(key, out var host) ? (host, HostSource, HostBase.Value)
            : Cases.TryGetValue(key, out var own) ? (own, Source, Base.Value)
            : throw new ShouldAssertException($"{attribute}.{property} has no case");
        var run = @base.After(@base.Compilation.With(0, source.With(from, to)));
        run.ShouldCompile();
        run.Reasons(StepNames.Extract).ShouldBe([IncrementalStepRunReason.Modified]);
        run.Reasons(StepNames.Resolve).ShouldBe([IncrementalStepRunReason.Modified]);
        run.OutputReasons().ShouldBe([NotInPlans.Contains(key) ? IncrementalStepRunReason.Cached : IncrementalStepRunReason.Modified]);
    }

    [Fact]
    public void Every_case_is_a_property() =>
        Cases.Keys.Concat(HostCases.Keys).Select(k => (k.Attribute.Name, k.Property)).ShouldBe(Properties.Select(p => p.Data), ignoreOrder: true);
}
