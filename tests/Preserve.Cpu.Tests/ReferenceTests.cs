using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Cpu.Tests;

/// <summary>Plans compute the model: they agree with a forward pass that knows none.</summary>
public class ReferenceTests
{
    /// <summary>Length of the difference by that of the logits, where plans compute in bf16: values are rounded between the operators of a plan, to 1 part in 512,
    /// and the reference rounds nothing. Over up to four layers that adds up to 1 to 4 %.</summary>
    private const double Bf16Tolerance = 0.05;

    /// <summary>The same of plans in single precision, where no more is left than the roundings of the sums: an operator that is left out, or that takes a wrong
    /// weight or constant, is a hundred times as far off and more.</summary>
    private const double Fp32Tolerance = 1e-5;

    private const int RandomModels = 120;

    private static readonly Dictionary<string, ModelSpec> s_models = new()
    {
        ["llama"] = SmallModels.Model(32, 40, Group(3, SmallModels.Layer())),
        ["multi-head, biases, learned positions"] = SmallModels.Model(32, 40, Group(2, SmallModels.Layer(
            keyValueHeads: 4, norm: Norm.Layer, position: Position.Learned, bias: ProjectionBias.All, activation: Activation.Relu, feedForwardBias: true))) with
        { TiedEmbeddings = true, FinalNorm = Norm.Layer, HeadBias = true },
        // As OPT has them: a table whose first two rows are no token's.
        ["learned positions from row two on"] = SmallModels.Model(32, 40, Group(2, SmallModels.Layer(
            keyValueHeads: 4, norm: Norm.Layer, position: Position.Learned, bias: ProjectionBias.All, activation: Activation.Relu, feedForwardBias: true))) with
        { TiedEmbeddings = true, FinalNorm = Norm.Layer, MaxPositions = SmallModels.MostPositions - 2 },
        ["post norms, soft caps, windows"] = SmallModels.Model(32, 40, Group(2,
            SmallModels.Layer("Local", window: 4, postNorm: true, softCap: true, activation: Activation.GeGlu, bias: ProjectionBias.All, feedForwardBias: true),
            SmallModels.Layer("Global", postNorm: true, softCap: true, activation: Activation.GeGlu))) with
        { TiedEmbeddings = true, EmbeddingScale = true, LogitSoftCap = true },
        ["parallel"] = SmallModels.Model(32, 41, Group(2, SmallModels.Layer(parallel: true, norm: Norm.Layer, activation: Activation.Gelu, bias: ProjectionBias.All, feedForwardBias: true))),
        ["parallel, norms of its own"] = SmallModels.Model(32, 41, Group(2, SmallModels.Layer(parallel: true, separateNorms: true, activation: Activation.Gelu))),
        ["parallel, post norms"] = SmallModels.Model(32, 41, Group(1,
            SmallModels.Layer("Shared", parallel: true, postNorm: true, norm: Norm.Layer, activation: Activation.Gelu, bias: ProjectionBias.All),
            SmallModels.Layer("Own", parallel: true, postNorm: true, separateNorms: true))),
        ["query-key norm"] = SmallModels.Model(32, 40, Group(2, SmallModels.Layer(queryKeyNorm: true, bias: ProjectionBias.QueryKeyValue))),
        ["no positions"] = SmallModels.Model(32, 40, Group(2, SmallModels.Layer(position: Position.None))),
        ["long heads, three to a KV head"] = SmallModels.Model(48, 40, Group(2, SmallModels.Layer(heads: 12, keyValueHeads: 4, headSize: 40, intermediate: 44, queryKeyNorm: true))),
        ["nine heads of five elements"] = SmallModels.Model(35, 43, Group(1,
            SmallModels.Layer("Shared", heads: 9, keyValueHeads: 3, headSize: 5, intermediate: 21),
            SmallModels.Layer("Own", heads: 9, keyValueHeads: 9, headSize: 5, intermediate: 15, window: 4))),
    };

    public static TheoryData<string> Cases { get; } = [.. s_models.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_generation_agrees_with_the_reference(string name)
    {
        var model = s_models[name];
        await Agree(model, new SeededWeights(model, 1), ModelConstants.Default, Precision.Bf16, Bf16Tolerance);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task In_single_precision_a_generation_agrees_with_the_reference_to_the_last_digits(string name)
    {
        var model = s_models[name];
        await Agree(model, new StrongWeights(new SeededWeights(model, 1)), StrongWeights.Constants, Precision.Fp32, Fp32Tolerance);
    }

    /// <summary>Every mix of layers, by plans of every kind but those that recompute: a recomputation rounds to bf16, as the values that it stands for are in a plan.</summary>
    [Fact]
    public void Random_models_agree_with_the_reference_to_the_last_digits()
    {
        var cases = Generators.Case().Sample(RandomModels, new Rnd(6), 12).Select(c => c with { Recomputed = 0 }).ToArray();
        cases.SelectMany(c => c.Deployment.Model.Stack).SelectMany(g => g.Pattern).Count(l => l.Parallel && l.PostNorm).ShouldBeGreaterThan(RandomModels / 5);
        cases.SelectMany(c => c.Deployment.Model.Stack).SelectMany(g => g.Pattern).Count(l => l.HeadedAttention().HeadSize % 2 == 1).ShouldBeGreaterThan(RandomModels / 5);
        Parallel.ForEach(cases.Select((c, i) => (c, i)), new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            pair => AgreeInSinglePrecision(pair.c, pair.i).GetAwaiter().GetResult());
    }

    private static async Task AgreeInSinglePrecision(PlanCase c, int index)
    {
        var model = c.Deployment.Model;
        var weights = new StrongWeights(new SeededWeights(model, (ulong)index));
        var reference = new ReferenceModel(model, weights, StrongWeights.Constants, Precision.Fp32);
        var batches = c.Deployment.Offload.BatchesPerLayer;
        var tokens = Deployments.Tokens(model, c.Batch * batches, c.Prompt + c.Generated, index);
        var (prefill, decode) = c.Plans();
        using var backend = new CpuBackend(model, weights, new CpuOptions { Constants = StrongWeights.Constants });
        var logits = await Deployments.LogitsAsync(backend, SinglePrecision.Of(prefill), SinglePrecision.Of(decode), tokens);
        for (var i = 0; i < logits.Length; i++)
        {
            for (var sequence = 0; sequence < tokens.Length; sequence++)
            {
                Logits.Distance(logits[i].AsSpan(sequence * model.Vocabulary, model.Vocabulary), reference.Logits(tokens[sequence].AsSpan(0, c.Prompt + i)))
                    .ShouldBeLessThan(Fp32Tolerance, $"{c}, step {i}, sequence {sequence}");
            }
        }
    }

    private static async Task Agree(ModelSpec model, IWeightSource weights, ModelConstants constants, Precision format, double tolerance)
    {
        var reference = new ReferenceModel(model, weights, constants, format);
        var tokens = Deployments.Tokens(model, 2, 9, seed: 2);
        var expected = tokens.Select(t => Enumerable.Range(6, 4).Select(length => reference.Logits(t.AsSpan(0, length))).ToArray()).ToArray();
        var variants = Variants(model).ToArray();
        variants.ShouldContain(v => v.TensorParallel > 2);
        foreach (var variant in variants)
        {
            var prefill = InFormat(Deployments.Plan(variant, new PrefillSpec(2, 6)));
            var decode = InFormat(Deployments.Plan(variant, new DecodeSpec(2, 8, Total: false)));
            using var backend = new CpuBackend(model, weights, new CpuOptions { Constants = constants });
            var logits = await Deployments.LogitsAsync(backend, prefill, decode, tokens);
            for (var i = 0; i < logits.Length; i++)
            {
                for (var sequence = 0; sequence < 2; sequence++)
                {
                    Logits.Distance(logits[i].AsSpan(sequence * model.Vocabulary, model.Vocabulary), expected[sequence][i])
                        .ShouldBeLessThan(tolerance, $"{Text(variant)}, step {i}, sequence {sequence}");
                }
            }
        }

        ExecutionPlan InFormat(ExecutionPlan plan) => format == Precision.Fp32 ? SinglePrecision.Of(plan) : plan;
    }

    /// <summary>numpy rounds nothing either: what is left is the order of its sums.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void The_reference_agrees_with_an_implementation_in_another_language(string name)
    {
        using var stream = typeof(ReferenceTests).Assembly.GetManifestResourceStream("expected.json")!;
        using var expected = JsonDocument.Parse(stream);
        int[] tokens = [.. expected.RootElement.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32())];
        var weights = new SeededWeights(s_models[name], 1);
        Agrees("usual", weights, ModelConstants.Default);
        Agrees("strong", new StrongWeights(weights), StrongWeights.Constants);

        void Agrees(string which, IWeightSource from, ModelConstants constants)
        {
            double[] logits = [.. expected.RootElement.GetProperty(which).GetProperty(name).EnumerateArray().Select(x => x.GetDouble())];
            var actual = new ReferenceModel(s_models[name], from, constants).Logits(tokens);
            actual.Length.ShouldBe(logits.Length);
            for (var t = 0; t < logits.Length; t++)
                Math.Abs(actual[t] - logits[t]).ShouldBeInRange(0, 1e-8);
        }
    }

    private static IEnumerable<DeploymentSpec> Variants(ModelSpec model)
    {
        foreach (var ranks in new[] { 1, 2, 3, 4 })
        {
            var plain = Deployments.Of(model, ranks);
            if (DeploymentRules.Check(plain with { Steps = new StepSpec[] { new PrefillSpec(2, 6) } }, modelIsSound: true).Count > 0)
                continue;
            yield return plain;
            yield return plain with { SeparateProjections = true, Weights = Precision.Fp32, KeyValues = Precision.Fp32, KeyValueBlockTokens = 2 };
            if (ranks == 1)
                continue;
            yield return plain with { CollectiveFusion = CollectiveFusion.Norm };
            yield return plain with { CollectiveFusion = CollectiveFusion.MatMul };
            if (ranks == 2)
                yield return plain with { SequenceParallel = true };
        }
    }

    private static string Text(DeploymentSpec d) => $"{d.TensorParallel} ranks, {d.Weights}, separate {d.SeparateProjections}, {d.CollectiveFusion}, shared tokens {d.SequenceParallel}";

    private static LayerGroup Group(int repeat, params LayerSpec[] pattern) => new(pattern, repeat);
}
