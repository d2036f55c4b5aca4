namespace Preserve.Models.Tests;

/// <summary>Published models are imported as published: to the parameter, and to the byte of the KV-cache.</summary>
public class PublishedModelTests
{
    /// <summary>Parameters, a tied output head counted once, and bytes of the bf16 KV-cache for each token.</summary>
    public static TheoryData<string, long, long> Dense => new()
    {
        { "meta-llama/Llama-2-7b-hf", 6_738_415_616, 524_288 },
        { "meta-llama/Llama-2-13b-hf", 13_015_864_320, 819_200 },
        { "meta-llama/Llama-2-70b-hf", 68_976_648_192, 327_680 },
        { "meta-llama/Meta-Llama-3-8B", 8_030_261_248, 131_072 },
        { "meta-llama/Meta-Llama-3-70B", 70_553_706_496, 327_680 },
        { "meta-llama/Llama-3.1-405B", 405_853_388_800, 516_096 },
        { "Qwen/Qwen2.5-7B", 7_615_616_512, 57_344 },
        { "Qwen/Qwen2.5-14B", 14_770_033_664, 196_608 },
        { "Qwen/Qwen2.5-32B", 32_763_876_352, 262_144 },
        { "Qwen/Qwen2.5-72B", 72_706_203_648, 327_680 },
        { "Qwen/Qwen3-32B", 32_762_123_264, 262_144 },
        { "mistralai/Mistral-7B-v0.1", 7_241_732_096, 131_072 },
        { "facebook/opt-6.7b", 6_658_473_984, 524_288 },
        { "facebook/opt-13b", 12_853_473_280, 819_200 },
        { "facebook/opt-30b", 29_974_540_288, 1_376_256 },
        { "microsoft/Phi-3-mini-4k-instruct", 3_821_079_552, 393_216 },
        { "microsoft/Phi-3-medium-4k-instruct", 13_960_238_080, 204_800 },
        { "microsoft/Phi-3-small-8k-instruct", 7_392_272_384, 131_072 },
        { "google/gemma-2-27b", 27_227_128_320, 376_832 },
        { "Qwen/Qwen2-7B", 7_615_616_512, 57_344 },
        { "Qwen/Qwen2-72B", 72_706_203_648, 327_680 },
    };

    /// <summary>At least one model of each other architecture, and of each choice that the ones above do not make.</summary>
    public static TheoryData<string, long> Kin => new()
    {
        { "meta-llama/Llama-3.2-1B", 1_235_814_400 },
        { "Qwen/Qwen3-8B", 8_190_735_360 },
        { "google/gemma-7b", 8_537_680_896 },
        { "google/gemma-2-2b", 2_614_341_888 },
        { "google/gemma-3-1b-it", 999_885_952 },
        { "microsoft/phi-2", 2_779_683_840 },
        { "microsoft/phi-4", 14_659_507_200 },
        { "EleutherAI/gpt-neox-20b", 20_554_567_680 },
        { "EleutherAI/pythia-6.9b", 6_857_302_016 },
        { "EleutherAI/gpt-j-6b", 6_050_882_784 },
        { "openai-community/gpt2", 124_439_808 },
        { "Salesforce/codegen-350M-mono", 356_712_448 },
        { "bigcode/starcoder", 15_517_456_384 },
        { "bigcode/starcoder2-3b", 3_030_371_328 },
        { "tiiuae/falcon-7b", 6_921_720_704 },
        { "tiiuae/falcon-40b", 41_303_293_952 },
        { "stabilityai/stablelm-3b-4e1t", 2_795_443_200 },
        { "HuggingFaceTB/SmolLM3-3B", 3_075_098_624 },
        { "THUDM/glm-4-9b-chat-hf", 9_399_951_360 },
        { "THUDM/GLM-4-9B-0414", 9_400_279_040 },
        { "ibm-granite/granite-3.1-8b-base", 8_170_848_256 },
    };

    public static TheoryData<string> Refused =>
        [.. PublishedConfigs.Ids.Except(Dense.Select(d => d.Data.Item1)).Except(Kin.Select(k => k.Data.Item1))];

    [Theory]
    [MemberData(nameof(Dense))]
    public void Has_the_published_sizes_and_is_the_catalogue_s(string id, long parameters, long keyValueBytes)
    {
        var model = PublishedConfigs.Import(id).ShouldBeAModel();
        model.Spec.ParameterCount.ShouldBe(parameters);
        KeyValueBytes(model.Spec).ShouldBe(keyValueBytes);
        var entry = ModelCatalogue.Models.Single(m => m.Id == id);
        entry.Parameters.ShouldBe(parameters);
        entry.Unsupported.ShouldBeNull();
        var fromCatalogue = ModelCatalogue.Load(id).ShouldBeAModel();
        fromCatalogue.Spec.ShouldBe(model.Spec);
        fromCatalogue.StoredFormat.ShouldBe(model.StoredFormat);
    }

    [Theory]
    [MemberData(nameof(Kin))]
    public void Has_the_published_number_of_parameters(string id, long parameters) =>
        PublishedConfigs.Import(id).ShouldBeAModel().Spec.ParameterCount.ShouldBe(parameters);

    /// <summary>Attributes, a file and the catalogue give the same value.</summary>
    [Fact]
    public void Is_what_the_attributes_declare()
    {
        var declared = typeof(PublishedModelTests).Assembly.GetTypes().Where(t => t.IsDefined(typeof(ModelAttribute), inherit: false)).Select(DeclaredModel.Of).ToList();
        declared.Select(d => d.Name).ShouldBe(Dense.Select(d => d.Data.Item1), ignoreOrder: true);
        foreach (var model in declared)
            PublishedConfigs.Import(model.Name).ShouldBeAModel().Spec.ShouldBe(model);
    }

    [Fact]
    public void Every_architecture_has_a_published_model() =>
        Dense.Select(d => d.Data.Item1).Concat(Kin.Select(k => k.Data.Item1)).Select(id => PublishedConfigs.Import(id).ShouldBeAModel().Architecture).Distinct()
            .ShouldBe(HuggingFaceConfig.Architectures, ignoreOrder: true);

    /// <summary>Without the other sizes in the file, they are those of the library's configuration class: most often a published model's.</summary>
    [Theory]
    [InlineData("llama", 6_738_415_616)]
    [InlineData("mistral", 7_241_732_096)]
    [InlineData("gemma", 8_537_680_896)]
    [InlineData("gemma2", 2_614_341_888)]
    [InlineData("phi3", 3_821_079_552)]
    [InlineData("phi3small", 7_392_272_384)]
    [InlineData("opt", 125_239_296)]
    [InlineData("gpt2", 124_439_808)]
    [InlineData("gptj", 6_050_882_784)]
    [InlineData("gpt_neox", 20_554_567_680)]
    [InlineData("falcon", 6_921_720_704)]
    [InlineData("starcoder2", 3_030_371_328)]
    [InlineData("stablelm", 2_795_443_200)]
    [InlineData("smollm3", 3_075_098_624)]
    [InlineData("glm", 9_399_951_360)]
    [InlineData("glm4", 9_400_279_040)]
    public void Absent_sizes_have_the_architecture_s_defaults(string architecture, long parameters) =>
        HuggingFaceConfig.Parse(SmallestConfig.Of(architecture), "M").ShouldBeAModel().Spec.ParameterCount.ShouldBe(parameters);

    [Fact]
    public void Every_architecture_can_do_without_the_other_sizes_and_says_what_it_took()
    {
        foreach (var architecture in HuggingFaceConfig.Architectures)
        {
            var model = HuggingFaceConfig.Parse(SmallestConfig.Of(architecture), "M").ShouldBeAModel();
            model.Architecture.ShouldBe(architecture);
            model.Notes.ShouldContain(n => n.StartsWith($"vocab_size is not given: {model.Spec.Vocabulary} is taken", StringComparison.Ordinal));
        }
        HuggingFaceConfig.Parse(SmallestConfig.Of("mistral"), "M").ShouldBeAModel().Notes.Select(n => n[..n.IndexOf(" is taken", StringComparison.Ordinal)]).ShouldBe(
            [
                "num_attention_heads is not given: 32", "num_key_value_heads is not given: 8", "intermediate_size is not given: 14336",
                "vocab_size is not given: 32000", "max_position_embeddings is not given: 131072", "sliding_window is not given: 4096",
            ], ignoreOrder: true);
    }

    [Fact]
    public void A_class_that_is_not_known_is_noted() =>
        HuggingFaceConfig.Parse(SmallestConfig.With("'falcon', 'architectures': ['RWForCausalLM']"), "M").ShouldBeAModel().Notes
            .ShouldContain("architectures has 'RWForCausalLM', which is not known; the model is read as model_type says, 'falcon'");

    /// <summary>No size of a published model is a default, but for the positions that Falcon's first files leave out.</summary>
    [Fact]
    public void Published_models_give_their_sizes() =>
        PublishedConfigs.Ids.SelectMany(id => PublishedConfigs.Import(id).Model?.Notes.Where(n => n.Contains("is not given") || n.Contains("architectures")).Select(n => $"{id}: {n}") ?? [])
            .ShouldBe(new[] { "tiiuae/falcon-40b", "tiiuae/falcon-7b" }.Select(id => $"{id}: max_position_embeddings is not given: 2048 is taken, the default of the architecture"));

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_expressed_is_refused(string id) => string.Join("; ", PublishedConfigs.Import(id).Messages()).ShouldBe(id switch
    {
        "Qwen/Qwen3-235B-A22B" => "architecture 'qwen3_moe' is not supported: it has mixtures of experts as feed-forward blocks",
        "mistralai/Mixtral-8x7B-v0.1" => "architecture 'mixtral' is not supported: it has mixtures of experts as feed-forward blocks",
        "openai/gpt-oss-120b" => "architecture 'gpt_oss' is not supported: it has mixtures of experts as feed-forward blocks",
        "deepseek-ai/DeepSeek-V3" =>
            "architecture 'deepseek_v3' is not supported: it has latent attention, which caches a compressed form of keys and values, and mixtures of experts as feed-forward blocks",
        "google/gemma-3-4b-it" =>
            "architecture 'gemma3' is not supported: it joins a language model with others; to import the language model alone, put its text_config, a 'gemma3_text', "
            + "into a file of its own, with the model_type and the tie_word_embeddings that hold for it",
        "tiiuae/falcon-rw-1b" => "alibi is true, but must be false: attention biased by distance (ALiBi) cannot be expressed",
        "facebook/opt-350m" =>
            "do_layer_norm_before is false, but must be true: norms after the blocks in place of those before them cannot be expressed; "
            + "word_embed_proj_dim is 512, but must be hidden_size, 1024: projections between the embedding and the layers cannot be expressed",
        _ => "no such case",
    });

    [Fact]
    public void Windows_alternate_as_published()
    {
        PublishedConfigs.Import("google/gemma-3-1b-it").ShouldBeAModel().Spec.Stack
            .Select(g => (g.Repeat, string.Join(' ', g.Pattern.Select(l => l.Name))))
            .ShouldBe([(4, "LocalLayer LocalLayer LocalLayer LocalLayer LocalLayer GlobalLayer"), (2, "LocalLayer")]);
        PublishedConfigs.Import("HuggingFaceTB/SmolLM3-3B").ShouldBeAModel().Spec.Stack
            .Select(g => (g.Repeat, string.Join(' ', g.Pattern.Select(l => (l.Name, l.Position)))))
            .ShouldBe([(9, "(RotaryLayer, Rotary) (RotaryLayer, Rotary) (RotaryLayer, Rotary) (UnrotatedLayer, None)")]);
    }

    [Fact]
    public void What_is_taken_otherwise_than_published_is_noted()
    {
        PublishedConfigs.Import("microsoft/Phi-3-small-8k-instruct").ShouldBeAModel().Notes
            .ShouldBe(["some layers of the published model attend sparsely, in blocks (blocksparse_*); here all attend to all tokens"]);
        ModelCatalogue.Load("phi-3-small").ShouldBeAModel().Notes.Count.ShouldBe(2);
        PublishedConfigs.Import("EleutherAI/pythia-6.9b").ShouldBeAModel().Notes
            .ShouldBe(["rotary_pct 0.25: only that share of each head is rotated; a plan counts the rotation of all of it"]);
        PublishedConfigs.Import("meta-llama/Meta-Llama-3-70B").ShouldBeAModel().Notes.ShouldBeEmpty();
    }

    private static long KeyValueBytes(ModelSpec model) => model.Stack.Sum(g => g.Repeat * g.Pattern.Sum(l =>
        l.Attention is MultiHeadAttentionSpec a ? 2 * Precision.Bf16.Bytes((long)a.KeyValueHeads * a.HeadSize) : 0));
}
