using FsCheck;
using FsCheck.Fluent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Preserve.Generators.Tests;

/// <summary>A declaration that is written from a specification is read as that specification.</summary>
public class DeclarationTextTests
{
    [Fact]
    public void A_declaration_reads_as_a_person_writes_it()
    {
        var source = """
            using Preserve;

            namespace Serving;

            [Model(Name = "meta-llama/Meta-Llama-3-70B", Hidden = 8192, Vocabulary = 128_256, MaxPositions = 8192)]
            [Layers(typeof(DecoderLayer), Repeat = 80)]
            public static class MetaLlama3_70B
            {
                [Layer(Norm = Norm.Rms, Position = Position.Rotary)]
                [Attention(Heads = 64, KeyValueHeads = 8)]
                [FeedForward(Intermediate = 28_672, Activation = Activation.SwiGlu)]
                public sealed class DecoderLayer;
            }

            [Deployment(typeof(MetaLlama3_70B), Devices.H100, TensorParallel = 8, Weights = Precision.Fp8, Activations = Precision.Fp8,
                KeyValues = Precision.Fp8)]
            [Decode(Batch = 64, Context = 4096)]
            [Prefill(Batch = 1, Tokens = 2048)]
            public sealed partial class MetaLlama3_70B_OnH100 : Deployment;

            """;
        DeclarationText.Write(SpecOf(source), "Serving").ShouldBe(source);
    }

    [Theory]
    [InlineData("meta-llama/Llama-2-7b-hf", "Llama2_7bHf")]
    [InlineData("Qwen/Qwen2.5-7B", "Qwen2_5_7B")]
    [InlineData("facebook/opt-6.7b", "Opt6_7b")]
    [InlineData("70B", "Model70B")]
    [InlineData("\u6a21\u578b", "Model")]
    [InlineData("models/mine/", "Mine")]
    public void A_type_is_named_after_the_models_name(string name, string type) => DeclarationText.TypeName(name).ShouldBe(type);

    [Theory]
    [InlineData("DecoderLayer", "DecoderLayerModel")]
    [InlineData("Deployment", "Deployment")]
    [InlineData("a \"quoted\\name\u00e9", "AQuotedName")]
    public void A_name_that_is_taken_or_no_identifier_is_read_back_all_the_same(string name, string type)
    {
        var spec = SpecOf(Declarations.Small);
        spec = spec with { Model = spec.Model with { Name = name } };
        var text = DeclarationText.Write(spec, "App");
        text.ShouldContain($"public static class {type}\n");
        SpecOf(text).ShouldBe(spec);
    }

    /// <summary>The compiler's own list of reserved words; those that are words in some places only may be names.</summary>
    [Fact]
    public void A_reserved_word_is_no_namespace_and_any_other_word_is()
    {
        foreach (var word in SyntaxFacts.GetReservedKeywordKinds().Select(SyntaxFacts.GetText))
            DeclarationText.NamespaceFault("My." + word).ShouldBe($"must not have the word '{word}' for a name, which C# reserves");
        var spec = SpecOf(Declarations.Small);
        foreach (var word in SyntaxFacts.GetContextualKeywordKinds().Select(SyntaxFacts.GetText).Append("_1"))
        {
            DeclarationText.NamespaceFault(word).ShouldBeNull();
            SpecOf(DeclarationText.Write(spec, word)).ShouldBe(spec);
            SpecOf(DeclarationText.Write(spec, "My." + word)).ShouldBe(spec);
        }
        Should.Throw<ArgumentException>(() => DeclarationText.Write(spec, "My.class")).Message.ShouldStartWith("'My.class' must not have");
    }

    /// <summary>A namespace is found before what stands in one that a file uses, and a nested type before all else.</summary>
    [Fact]
    public void Whatever_name_of_the_library_stands_nearer_the_declaration_compiles_and_is_read_back()
    {
        string[] names = [.. typeof(Deployment).Assembly.GetExportedTypes().SelectMany(t => new[] { t.Name, t.Name.Replace("Attribute", "") }).Where(n => !n.Contains('`')).Distinct()];
        names.ShouldContain("Model");
        var spec = SpecOf(EveryChoice);
        foreach (var name in names)
        {
            var layer = Renamed(spec, name);
            SpecOf(DeclarationText.Write(layer, "App")).ShouldBe(layer);
            var model = spec with { Model = spec.Model with { Name = name } };
            SpecOf(DeclarationText.Write(model, "App")).ShouldBe(model);
        }
        var spaces = Gen.Elements(names).Or(Gen.Elements("Preserve", "System", "Small", "DecoderLayer", "Serving")).ListOf(3).Zip(Gen.Choose(1, 3), (parts, count) => string.Join(".", parts.Take(count)));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(150).WithReplay(20_251, 7), Prop.ForAll(spaces.ToArbitrary(), space =>
        {
            if (DeclarationText.NamespaceFault(space) is { } fault)
                (fault.StartsWith("must not begin with Preserve,", StringComparison.Ordinal) && space.StartsWith("Preserve", StringComparison.Ordinal)).ShouldBeTrue(space);
            else
                SpecOf(DeclarationText.Write(spec, space)).ShouldBe(spec);
        }));
    }

    [Fact]
    public void What_is_generated_for_a_namespace_that_is_called_like_the_base_type_compiles_too() =>
        GeneratorRun.Of(DeclarationText.Write(SpecOf(EveryChoice), "My.Deployment")).ShouldCompile();

    [Theory]
    [InlineData("Preserve")]
    [InlineData("Preserve.Deployment")]
    public void The_librarys_own_namespace_is_refused(string space) =>
        DeclarationText.NamespaceFault(space).ShouldBe("must not begin with Preserve, the library's own namespace, whose types may have the names of its parts");

    /// <summary>A nested type may have any name but that of the one around it, and words that C# reserves need an escape.</summary>
    [Theory]
    [InlineData("class")]
    [InlineData("Small")]
    [InlineData("SmallModel")]
    public void A_layer_may_have_any_name(string name)
    {
        var spec = SpecOf(EveryChoice);
        spec = Renamed(spec with { Model = spec.Model with { Name = "small" } }, name);
        SpecOf(DeclarationText.Write(spec, "App")).ShouldBe(spec);
    }

    /// <summary>C# takes some words of small letters for its own where a type is declared, and may take others in a version to come. What a layer of such a name is
    /// declared as has no warning, and what is generated for it compiles.</summary>
    [Fact]
    public void A_layer_and_a_model_may_have_the_name_of_any_word()
    {
        var words = SyntaxFacts.GetContextualKeywordKinds().Concat(SyntaxFacts.GetReservedKeywordKinds()).Select(SyntaxFacts.GetText)
            .Concat(["dynamic", "nint", "nuint", "notnull", "closed", "decoder", "_", "_1"]).Distinct();
        var spec = SpecOf(EveryChoice);
        foreach (var word in words)
        {
            var named = Renamed(spec with { Model = spec.Model with { Name = word } }, word);
            var text = DeclarationText.Write(named, "App");
            SpecOf(text).ShouldBe(named);
            TestCompilation.Of(text).GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning).ShouldBeEmpty(word);
        }
        DeclarationText.Write(Renamed(spec, "extension"), "App").ShouldContain("[Layers(typeof(@extension), Repeat = 4)]");
        GeneratorRun.Of(DeclarationText.Write(Renamed(spec with { Model = spec.Model with { Name = "record" } }, "file"), "required.scoped")).ShouldCompile();
    }

    /// <summary>The type's name is the layer's: there is no declaration of one that no type can have.</summary>
    [Theory]
    [InlineData("my-layer")]
    [InlineData("1a")]
    [InlineData("@class")]
    public void A_layer_whose_name_no_type_can_have_is_refused(string name)
    {
        var spec = Renamed(SpecOf(EveryChoice), name);
        Should.Throw<ArgumentException>(() => DeclarationText.Write(spec, "App")).Message.ShouldStartWith($"layer '{name}' cannot be declared: no type can have its name");
    }

    [Fact]
    public void Two_layers_of_one_name_are_refused()
    {
        var spec = SpecOf(EveryChoice);
        var layer = spec.Model.Stack[0].Pattern[0];
        var two = spec with { Model = spec.Model with { Stack = new[] { new LayerGroup(new[] { layer, layer with { PostNorm = true } }, 1) } } };
        Should.Throw<ArgumentException>(() => DeclarationText.Write(two, "App")).Message.ShouldStartWith("layer 'DecoderLayer' cannot be declared: another one has its name");
    }

    [Theory]
    [InlineData("")]
    [InlineData("My.")]
    [InlineData("1a")]
    [InlineData("My Own")]
    [InlineData("@class")]
    public void What_is_no_name_is_no_namespace(string text) => DeclarationText.NamespaceFault(text).ShouldNotBeNull().ShouldStartWith("must be names");

    [Fact]
    public void Every_published_model_is_read_back()
    {
        foreach (var model in typeof(DeclarationTextTests).Assembly.GetTypes().Where(t => t.IsDefined(typeof(ModelAttribute), inherit: false)))
        {
            var spec = SpecOf(PublishedModels.Deployed(model.Name, "Devices.B200, TensorParallel = 2", "Decode(Batch = 1, Context = 100)"));
            SpecOf(DeclarationText.Write(spec, "App")).ShouldBe(spec);
        }
    }

    [Fact]
    public void Every_random_declaration_is_read_back()
    {
        var read = 0;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(100).WithReplay(20_251, 3), Prop.ForAll(RandomDeclarationTests.Sources.ToArbitrary(), source =>
        {
            if (Extracted(source) is not { } spec)
                return;
            read++;
            SpecOf(DeclarationText.Write(spec, "App")).ShouldBe(spec);
        }));
        read.ShouldBeGreaterThan(20);
    }

    /// <summary>A declaration with a value of each type that one can have.</summary>
    private static string EveryChoice { get; } = Declarations.Small
        .With("Vocabulary = 1000", "Vocabulary = 1000, FinalNorm = Norm.Layer")
        .With("[Layer]", "[Layer(Norm = Norm.Rms, Position = Position.None)]")
        .With("Heads = 8", "Heads = 8, Bias = ProjectionBias.All")
        .With("Intermediate = 2048", "Intermediate = 2048, Activation = Activation.Relu")
        .With("TensorParallel = 2", "TensorParallel = 2, Weights = Precision.Int8, KeyValueHome = Home.Host, Recompute = RecomputePolicy.None, Objective = Objective.Throughput, "
            + "PrefetchTargets = PrefetchTargets.Weights, CollectiveFusion = CollectiveFusion.MatMul, Prefetch = PrefetchPolicy.Paper");

    private static DeploymentSpec Renamed(DeploymentSpec spec, string layer) => spec with
    {
        Model = spec.Model with { Stack = spec.Model.Stack.Select(g => g with { Pattern = g.Pattern.Select(l => l with { Name = layer }).ToArray() }).ToArray() },
    };

    private static DeploymentSpec SpecOf(params string[] sources) => Extracted(sources).ShouldNotBeNull(sources[0]);

    private static DeploymentSpec? Extracted(params string[] sources)
    {
        var compilation = TestCompilation.Of(sources);
        compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).ShouldBeEmpty(sources[0]);
        var type = compilation.GetSymbolsWithName(_ => true, SymbolFilter.Type).OfType<INamedTypeSymbol>().Single(t => t.BaseType?.Name == nameof(Deployment));
        return DeploymentParser.Parse(type, new FaultCounter())?.Spec;
    }
}
