using FsCheck;
using FsCheck.Fluent;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>Random declarations: the sound ones are emitted and compile, the faulty ones are reported, and the same source gives
/// the same bytes.</summary>
public class RandomDeclarationTests
{
    internal static readonly Gen<string> Sources =
        from kinds in Gen.Choose(1, 3)
        from layers in Layer.ListOf(kinds)
        from hidden in Gen.Elements(64, 256, 512, 1024)
        from groups in Gen.Choose(1, kinds).SelectMany(_ => Gen.Choose(1, 40)).ListOf(kinds)
        from model in Arguments(
            ("TiedEmbeddings", Flags), ("EmbeddingScale", Flags), ("LogitSoftCap", Flags), ("HeadBias", Flags),
            ("FinalNorm", Gen.Elements("Norm.Rms", "Norm.Layer")), ("MaxPositions", Gen.Elements("4096", "0")))
        from deployment in Arguments(
            ("TensorParallel", Gen.Elements("1", "2", "4", "8")), ("Weights", Formats), ("Activations", Formats), ("KeyValues", Formats),
            ("Prefetch", Gen.Elements("PrefetchPolicy.None", "PrefetchPolicy.Paper", "PrefetchPolicy.Best")), ("SeparateProjections", Flags), ("SequenceParallel", Flags),
            ("PrefetchTargets", Gen.Elements("PrefetchTargets.Weights", "PrefetchTargets.KeyValues")),
            ("KeyValueBlockTokens", Gen.Elements("16", "1", "100")),
            ("CollectiveFusion", Gen.Elements("CollectiveFusion.None", "CollectiveFusion.Norm", "CollectiveFusion.MatMul")),
            ("Objective", Gen.Elements("Objective.Latency", "Objective.Throughput")), ("BatchesPerLayer", Gen.Elements("1", "1", "1", "8")), ("WeightHome", Gen.Elements("Home.Device", "Home.Device", "Home.Device", "Home.Host")), ("KeyValueHome", Gen.Elements("Home.Device", "Home.Host")))
        from device in Gen.Elements("A100Sxm80", "H100", "Ascend910B2", "TpuV5e", "Rtx4090")
        from steps in Step.ListOf(2)
        from rows in Gen.Elements(2050, 100_001, 100_001)
        let learned = layers.Any(l => l.Contains("Position.Learned", StringComparison.Ordinal)) ? $", LearnedPositions = {rows}" : ""
        select $$"""
            using Preserve;

            [Model(Hidden = {{hidden}}, Vocabulary = 32_003{{learned}}{{model}})]
            {{string.Join("\n", groups.Select((repeat, i) => $"[Layers({string.Join(", ", Enumerable.Range(0, i + 1).Select(k => $"typeof(Kind{k})"))}, Repeat = {repeat})]"))}}
            public static class Model
            {
            {{string.Join("\n", layers.Select((l, i) => $"{l}\npublic sealed class Kind{i};"))}}
            }

            [Deployment(typeof(Model), Devices.{{device}}{{deployment}})]
            {{string.Join("\n", steps.Distinct())}}
            public sealed partial class Deployed : Deployment;
            """;

    private static Gen<string> Flags => Gen.Elements("true", "false");

    private static Gen<string> Formats => Gen.Elements("Precision.Bf16", "Precision.Fp8", "Precision.Int8", "Precision.Int4", "Precision.Fp32");

    private static Gen<string> Layer =>
        from heads in Gen.Elements(4, 8, 12, 16)
        from layer in Arguments(
            ("Norm", Gen.Elements("Norm.Rms", "Norm.Layer")), ("PostNorm", Flags), ("Parallel", Flags), ("SeparateNorms", Gen.Elements("false", "false", "true")),
            ("Position", Gen.Elements("Position.Rotary", "Position.Learned", "Position.None")))
        from attention in Arguments(
            ("KeyValueHeads", Gen.Elements("1", "2", "4")), ("HeadSize", Gen.Elements("16", "64", "96")), ("QueryKeyNorm", Flags), ("SoftCap", Flags),
            ("Window", Gen.Elements("1", "17", "4096")), ("Bias", Gen.Elements("ProjectionBias.None", "ProjectionBias.QueryKeyValue", "ProjectionBias.All")))
        from feedForward in Arguments(
            ("Bias", Flags), ("Activation", Gen.Elements("Activation.SwiGlu", "Activation.GeGlu", "Activation.Gelu", "Activation.Relu")))
        from intermediate in Gen.Elements(128, 1000, 4096)
        select $"[Layer({layer.TrimStart(',', ' ')})]\n[Attention(Heads = {heads}{attention})]\n[FeedForward(Intermediate = {intermediate}{feedForward})]";

    private static Gen<string> Step => Gen.OneOf(
        from batch in Gen.Choose(1, 64) from context in Gen.Choose(1, 8192) select $"[Decode(Batch = {batch}, Context = {context})]",
        from batch in Gen.Choose(1, 64) from tokens in Gen.Choose(32, 100_000) select $"[Decode(Batch = {batch}, CachedTokens = {tokens})]",
        from batch in Gen.Choose(1, 64) from prompt in Gen.Choose(1, 2048) from tokens in Gen.Choose(2, 500) select $"[Generation(Batch = {batch}, Prompt = {prompt}, Tokens = {tokens})]",
        from batch in Gen.Choose(1, 4) from tokens in Gen.Choose(1, 2048) select $"[Prefill(Batch = {batch}, Tokens = {tokens})]");

    [Fact]
    public void Sound_ones_are_emitted_and_faulty_ones_reported()
    {
        var emitted = 0;
        var property = Prop.ForAll(Sources.ToArbitrary(), source =>
        {
            var run = GeneratorRun.Of(source);
            run.Reported.ShouldBeEmpty();
            run.ShouldCompile();
            var errors = Analysis.DiagnosticsOf(run.Output).GetAwaiter().GetResult().Where(d => d.Severity == DiagnosticSeverity.Error).ToArray();
            run.Sources.Length.ShouldBe(errors.Length == 0 ? 1 : 0, string.Join("\n", errors.Select(e => e.ToString())));
            if (errors.Length > 0)
                return;
            emitted++;
            GeneratorRun.Of(source).Source.ShouldBe(run.Source);
            PlanText.Write(EmittedText.PlansOf(run.Source)).ShouldBe(EmittedText.TextOf(run.Source));
        });
        // A fixed seed: a run that fails can be run again.
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(70).WithReplay(20_251, 1), property);
        emitted.ShouldBeGreaterThan(10);
    }

    /// <summary>Some of the arguments, each by chance.</summary>
    private static Gen<string> Arguments(params (string Name, Gen<string> Value)[] arguments) => arguments.Aggregate(
        Gen.Constant(""),
        (all, argument) =>
            from text in all
            from given in Gen.Choose(0, 2)
            from value in argument.Value
            select given == 0 ? $"{text}, {argument.Name} = {value}" : text);
}
