using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Cpu.Tests;

/// <summary>A plan runs on a backend of the model that it was made for, and of no other.</summary>
public class PlannedModelTests
{
    private const int Cases = 40;

    private static readonly ModelSpec s_model = Model(SmallModels.Layer());

    private readonly ITestOutputHelper _output;

    public PlannedModelTests(ITestOutputHelper output) => _output = output;

    /// <summary>What can be changed in a model that changes its numbers, and what the plan's refusal calls it.</summary>
    private static readonly (string Property, Func<ModelSpec, ModelSpec> Change)[] s_changes =
    [
        ("Hidden", m => m with { Hidden = 2 * m.Hidden }),
        ("Vocabulary", m => m with { Vocabulary = m.Vocabulary + 8 }),
        ("Vocabulary", m => m with { Vocabulary = m.Vocabulary + 1 }),
        ("TiedEmbeddings", m => m with { TiedEmbeddings = !m.TiedEmbeddings }),
        ("LearnedPositions", m => m.LearnedPositions == 0 ? m : m with { LearnedPositions = m.LearnedPositions + 1 }),
        ("EmbeddingScale", m => m with { EmbeddingScale = !m.EmbeddingScale }),
        ("FinalNorm", m => m with { FinalNorm = Other(m.FinalNorm) }),
        ("LogitSoftCap", m => m with { LogitSoftCap = !m.LogitSoftCap }),
        ("HeadBias", m => m with { HeadBias = !m.HeadBias }),
        ("Heads", Attention(a => a with { Heads = 2 * a.Heads })),
        ("KeyValueHeads", Attention(a => a with { KeyValueHeads = a.KeyValueHeads == a.Heads ? 1 : a.Heads })),
        ("HeadSize", Attention(a => a with { HeadSize = a.HeadSize + 2 })),
        ("Window", Attention(a => a with { Window = a.Window == 0 ? 2 : 0 })),
        ("Window", Attention(a => a with { Window = a.Window + 3 })),
        ("SoftCap", Attention(a => a with { SoftCap = !a.SoftCap })),
        ("QueryKeyNorm", Attention(a => a with { QueryKeyNorm = !a.QueryKeyNorm })),
        ("Attention.Bias", Attention(a => a with { Bias = a.Bias == ProjectionBias.All ? ProjectionBias.QueryKeyValue : ProjectionBias.All })),
        ("Attention.Bias", Attention(a => a with { Bias = a.Bias == ProjectionBias.None ? ProjectionBias.QueryKeyValue : ProjectionBias.None })),
        ("Position.Rotary", Layer(l => l with { Position = l.Position == Position.Rotary ? Position.None : Position.Rotary })),
        ("Norm", Layer(l => l with { Norm = Other(l.Norm) })),
        ("PostNorm", Layer(l => l with { PostNorm = !l.PostNorm })),
        ("Parallel", Layer(l => l with { Parallel = !l.Parallel, SeparateNorms = false })),
        ("SeparateNorms", Layer(l => l.Parallel ? l with { SeparateNorms = !l.SeparateNorms } : l)),
        ("Intermediate", Block(b => b with { Intermediate = 2 * b.Intermediate })),
        ("Activation", Block(b => b with { Activation = b.Activation == Activation.SwiGlu ? Activation.GeGlu : Activation.SwiGlu })),
        ("Activation", Block(b => b with { Activation = b.Activation == Activation.Relu ? Activation.Gelu : Activation.Relu })),
        ("FeedForward.Bias", Block(b => b with { Bias = !b.Bias })),
    ];

    /// <summary>A model that has another plan is refused, with what differs; one that has the same plan is computed by it.</summary>
    [Fact]
    public void A_plan_is_refused_by_a_backend_of_every_model_that_has_another_plan()
    {
        var (refused, alike) = (new int[s_changes.Length], 0);
        foreach (var c in Generators.Case().Sample(Cases, new Rnd(41), 12))
        {
            var model = c.Deployment.Model;
            var ((prefill, decode), (basePrefill, baseDecode)) = (c.Plans(), c.BasePlans());
            Accepts(prefill, model);
            Accepts(decode, model);
            for (var i = 0; i < s_changes.Length; i++)
            {
                var (property, change) = s_changes[i];
                var other = change(model);
                if (other == model || ModelRules.Check(other).Count > 0 || !Divides(other, c.Deployment.TensorParallel))
                    continue;
                // The base plans tell: what is stored for later steps differs between models that compute a step alike.
                var (otherPrefill, otherDecode) = (c with { Deployment = c.Deployment with { Model = other } }).BasePlans();
                foreach (var (plan, same) in new[] { (prefill, basePrefill == otherPrefill), (decode, baseDecode == otherDecode) })
                {
                    if (same)
                    {
                        alike++;
                        Accepts(plan, other);
                        continue;
                    }
                    Refusal(plan, other, $"{property}, {plan.Step}, {c}").ShouldStartWith($"the plan is of another Small than the backend's: {property} ", Case.Sensitive, $"{c}");
                    refused[i]++;
                }
            }
        }
        _output.WriteLine($"{alike} alike; refused: {string.Join(", ", s_changes.Select((s, i) => $"{refused[i]} {s.Property}"))}");
        refused.Min().ShouldBeGreaterThan(10);
        alike.ShouldBeGreaterThan(10);
    }

    [Fact]
    public void A_backend_names_what_differs()
    {
        var (prefill, decode) = (Plan(s_model, 1, new PrefillSpec(1, 6)), Plan(s_model, 1, new DecodeSpec(1, 12, Total: false, 6)));
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 1));
        backend.SetTokens([3]);
        backend.Begin(decode, 6);
        using var windowed = Backend(SmallModels.Layer(window: 2));
        Refusal(windowed, prefill).ShouldBe("the plan is of another Small than the backend's: Window of layer 0 is one of 21 query-key pairs in the plan, and one of 11 query-key pairs in the model");
        Refusal(windowed, decode).ShouldBe("the plan is of another Small than the backend's: Window of layer 0 is one of 13 query-key pairs in the plan, and one of 2 query-key pairs in the model");
        using var shorter = Backend(SmallModels.Layer(heads: 8, keyValueHeads: 4, headSize: 4));
        Refusal(shorter, prefill).ShouldBe("the plan is of another Small than the backend's: Heads of layer 0 is 4 in the plan, and 8 in the model");
        using var biased = Backend(SmallModels.Layer(bias: ProjectionBias.QueryKeyValue));
        Refusal(biased, prefill).ShouldBe("the plan is of another Small than the backend's: Attention.Bias of layer 0 is None in the plan, and QueryKeyValue in the model");

        static CpuBackend Backend(LayerSpec layer)
        {
            var model = Model(layer);
            return new CpuBackend(model, new SeededWeights(model, 1));
        }
    }

    /// <summary>Heads of the model that the plan's degree does not divide are not those of the plan, whatever a rank's part of them is rounded to.</summary>
    [Theory]
    [InlineData(4, 4, 6, 6, "Heads of layer 0 is 4 in the plan, and 6 in the model")]
    [InlineData(12, 4, 12, 6, "KeyValueHeads of layer 0 is a divisor of 4 in the plan, and 6 in the model")]
    [InlineData(12, 4, 12, 3, "KeyValueHeads of layer 0 is a divisor of 4 in the plan, and 3 in the model")]
    [InlineData(12, 12, 12, 2, "KeyValueHeads of layer 0 is 12 in the plan, and a divisor of 4 in the model")]
    public void Heads_that_the_ranks_do_not_divide_are_another_models(int heads, int keyValueHeads, int others, int otherKeyValueHeads, string difference)
    {
        var plan = Plan(Model(SmallModels.Layer(heads: heads, keyValueHeads: keyValueHeads)), 4, new PrefillSpec(1, 6));
        Refusal(plan, Model(SmallModels.Layer(heads: others, keyValueHeads: otherKeyValueHeads)), difference).ShouldContain(difference);
    }

    [Fact]
    public void A_layer_that_the_model_has_not_and_a_size_of_nothing_are_refused_by_name()
    {
        var plan = Plan(s_model, 1, new PrefillSpec(1, 6));
        Refusal(With(r => r with { FirstLayer = 2 }), s_model, "a layer").ShouldStartWith("'attn_norm' names 'attn_norm_weight' of layer 3, and the model has 3 layers");
        Refusal(With(r => r with { FirstLayer = -1 }), s_model, "a layer").ShouldStartWith("'attn_norm' names 'attn_norm_weight' of layer -1, and the model has 3 layers");
        var nothing = With(r => r with { Body = r.Body.Select(n => n is Instruction { Operation: MatMulOperation o } i ? i with { Operation = o with { Rows = 0 } } : n).ToArray() });
        Refusal(nothing, s_model, "a size").ShouldStartWith("'qkv' has a size below 1");

        ExecutionPlan With(Func<Repeat, Repeat> change) => plan with { Body = plan.Body.Select(n => n is Repeat r ? change(r) : n).ToArray() };
    }

    private static ModelSpec Model(LayerSpec layer) => SmallModels.Model(32, 40, new LayerGroup(new[] { layer }, 3));

    private static ExecutionPlan Plan(ModelSpec model, int ranks, StepSpec step) => Deployments.Plan(Deployments.Of(model, ranks), step);

    private static string Refusal(CpuBackend backend, ExecutionPlan plan) => Should.Throw<ArgumentException>(() => backend.Begin(plan, 6)).Message;

    private static void Accepts(ExecutionPlan plan, ModelSpec model) => PlannedModel.Check(plan, model);

    private static string Refusal(ExecutionPlan plan, ModelSpec model, string what) => Should.Throw<ArgumentException>(() => PlannedModel.Check(plan, model), what).Message;

    private static bool Divides(ModelSpec model, int ranks) => model.Stack.SelectMany(g => g.Pattern).All(l =>
        l.Attention is MultiHeadAttentionSpec a && (a.KeyValueHeads % ranks == 0 || ranks % a.KeyValueHeads == 0));

    private static Norm Other(Norm norm) => norm == Norm.Rms ? Norm.Layer : Norm.Rms;

    /// <summary>Changes every layer of the first kind.</summary>
    private static Func<ModelSpec, ModelSpec> Layer(Func<LayerSpec, LayerSpec> change) => model =>
    {
        var first = model.Stack[0].Pattern[0];
        return model with { Stack = model.Stack.Select(g => g with { Pattern = g.Pattern.Select(l => l == first ? change(l) : l).ToArray() }).ToArray() };
    };

    private static Func<ModelSpec, ModelSpec> Attention(Func<MultiHeadAttentionSpec, MultiHeadAttentionSpec> change) =>
        Layer(l => l with { Attention = change((MultiHeadAttentionSpec)l.Attention) });

    private static Func<ModelSpec, ModelSpec> Block(Func<DenseFeedForwardSpec, DenseFeedForwardSpec> change) =>
        Layer(l => l with { FeedForward = new FeedForwardSpec[] { change((DenseFeedForwardSpec)l.FeedForward[0]) } });
}
