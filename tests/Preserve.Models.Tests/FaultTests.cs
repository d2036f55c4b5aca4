namespace Preserve.Models.Tests;

/// <summary>Each fault is named with the key, its value, and what would be right.</summary>
public class FaultTests
{
    public static TheoryData<string, string> Faults => new()
    {
        // Types and ranges.
        { "'llama', 'hidden_size': '4096'", "hidden_size is the string '4096', but must be a whole number, 1 to 1,048,576" },
        { "'llama', 'hidden_size': 4096.0", "hidden_size is 4096.0, but must be a whole number, 1 to 1,048,576" },
        { "'llama', 'hidden_size': 4e3", "hidden_size is 4e3, but must be a whole number, 1 to 1,048,576" },
        { "'llama', 'hidden_size': null", "hidden_size is null, but must be a whole number, 1 to 1,048,576" },
        { "'llama', 'hidden_size': [4096]", "hidden_size is a list of 1, but must be a whole number, 1 to 1,048,576" },
        { "'llama', 'hidden_size': {}", "hidden_size is an object, but must be a whole number, 1 to 1,048,576" },
        { "'llama', 'hidden_size': 0", "hidden_size is 0, but must be 1 to 1,048,576" },
        { "'llama', 'hidden_size': -4096", "hidden_size is -4096, but must be 1 to 1,048,576" },
        { "'llama', 'hidden_size': 1048577", "hidden_size is 1048577, but must be 1 to 1,048,576" },
        { "'llama', 'hidden_size': 99999999999999999999", "hidden_size is 99999999999999999999, but must be a whole number, 1 to 1,048,576" },
        { "'llama', 'vocab_size': 0", "vocab_size is 0, but must be 1 to 16,777,216" },
        { "'llama', 'num_hidden_layers': 100001", "num_hidden_layers is 100001, but must be 1 to 100,000" },
        { "'llama', 'num_hidden_layers': 2147483647", "num_hidden_layers is 2147483647, but must be 1 to 100,000" },
        { "'llama', 'num_attention_heads': 0", "num_attention_heads is 0, but must be 1 to 65,536" },
        { "'llama', 'num_key_value_heads': 0", "num_key_value_heads is 0, but must be 1 to 65,536" },
        { "'llama', 'intermediate_size': null", "intermediate_size is null, but must be a whole number, 1 to 16,777,216" },
        { "'llama', 'max_position_embeddings': true", "max_position_embeddings is true, but must be a whole number, 1 to 16,777,216" },
        { "'llama', 'tie_word_embeddings': 'yes'", "tie_word_embeddings is the string 'yes', but must be true or false" },
        { "'llama', 'attention_bias': 1", "attention_bias is 1, but must be true or false" },
        { "'llama', 'hidden_act': 'relu2'", "hidden_act is the string 'relu2', but must be one of 'gelu', 'gelu_new', 'gelu_fast', 'gelu_python', 'gelu_pytorch_tanh', 'gelu_accurate', 'silu', 'swish'" },
        { "'llama', 'hidden_act': 'slu'", "hidden_act is the string 'slu', but must be one of 'gelu', 'gelu_new', 'gelu_fast', 'gelu_python', 'gelu_pytorch_tanh', 'gelu_accurate', 'silu', 'swish'" },
        { "'llama', 'hidden_act': 7", "hidden_act is 7, but must be one of 'gelu', 'gelu_new', 'gelu_fast', 'gelu_python', 'gelu_pytorch_tanh', 'gelu_accurate', 'silu', 'swish'" },
        { "'opt', 'activation_function': 'silu'", "activation_function is the string 'silu', but must be one of 'gelu', 'gelu_new', 'gelu_fast', 'gelu_python', 'gelu_pytorch_tanh', 'gelu_accurate', 'relu'" },
        { "'llama', 'torch_dtype': 'float15'", "torch_dtype is the string 'float15', but must be one of 'bfloat16', 'float16', 'float32', 'float8_e4m3fn', 'float8_e5m2'" },
        { "'mistral', 'sliding_window': 0", "sliding_window is 0, but must be 1 to 2,147,483,647" },
        { "'gemma2', 'final_logit_softcapping': 0", "final_logit_softcapping is 0, but must be a number above 0, or null" },
        { "'gemma2', 'attn_logit_softcapping': '50'", "attn_logit_softcapping is the string '50', but must be a number above 0, or null" },
        { "'gemma3_text', 'sliding_window_pattern': 0", "sliding_window_pattern is 0, but must be 1 to 2,147,483,647" },

        // Values together, by the rules of every declaration.
        { "'llama', 'num_key_value_heads': 3", "num_key_value_heads: KeyValueHeads of layer 'DecoderLayer' is 3, which does not divide its 32 query heads" },
        { "'llama', 'num_attention_heads': 60", "num_attention_heads is 60, which does not divide hidden_size, 4096, and head_dim is not given" },
        { "'gpt2', 'n_head': 7", "n_head is 7, which does not divide n_embd, 768" },
        { "'qwen3', 'num_attention_heads': 65536, 'head_dim': 65536", "head_dim: Heads times HeadSize of layer 'DecoderLayer' is 4,294,967,296, but must be at most 16,777,216" },
        {
            "'llama', 'hidden_size': 1048576, 'intermediate_size': 16777216, 'num_hidden_layers': 100000",
            "hidden_size: the number of parameters of model 'M' is 5,717,460,741,260,312,576, but must be at most 72,057,594,037,927,936"
        },
        { "'gpt2', 'n_embd': 768, 'hidden_size': 1024", "hidden_size is 1024, but n_embd, which names the same, is 768" },

        // Lists with an item for each layer.
        { "'gemma2', 'layer_types': ['full_attention']", "layer_types is a list of 1, but must be a list with an item for each of the 26 layers" },
        { "'gemma2', 'num_hidden_layers': 1, 'layer_types': ['linear_attention']", "layer_types[0] is the string 'linear_attention', but must be one of 'sliding_attention', 'full_attention'" },
        { "'qwen2', 'num_hidden_layers': 1, 'layer_types': ['sliding_attention']", "layer_types[0] is the string 'sliding_attention', but must be 'full_attention': no window is given for it to slide" },
        { "'smollm3', 'no_rope_layers': 3", "no_rope_layers is 3, but must be a list with an item for each of the 36 layers" },
        { "'smollm3', 'num_hidden_layers': 1, 'no_rope_layers': [2]", "no_rope_layers[0] is 2, but must be one of '1', '0'" },

        // What a known architecture can have and a specification cannot.
        { "'phi', 'qk_layernorm': true", "qk_layernorm is true, but must be false: layer norms of queries and keys cannot be expressed" },
        { "'stablelm', 'qk_layernorm': true", "qk_layernorm is true, but must be false: layer norms of queries and keys cannot be expressed" },
        { "'opt', 'do_layer_norm_before': false", "do_layer_norm_before is false, but must be true: norms after the blocks in place of those before them cannot be expressed" },
        { "'opt', 'word_embed_proj_dim': 512", "word_embed_proj_dim is 512, but must be hidden_size, 768: projections between the embedding and the layers cannot be expressed" },
        { "'opt', 'max_position_embeddings': 16777215", "max_position_embeddings is 16777215, but must be at most 16777214: its table has 2 rows more" },
        { "'falcon', 'num_ln_in_parallel_attn': 2", "num_ln_in_parallel_attn is 2, but must be 1: only the newer decoder has two" },
        { "'falcon', 'new_decoder_architecture': true, 'parallel_attn': false", "parallel_attn is false, but must be true: the newer decoder has no other form" },
        { "'phi3small', 'ff_dim_multiplier': 4", "ff_dim_multiplier is 4, but must be null: give ff_intermediate_size" },
        { "'llama', 'num_local_experts': 8", "architecture 'llama' is not supported: it has mixtures of experts as feed-forward blocks (num_local_experts is 8)" },
        { "'llama', 'kv_lora_rank': 512", "architecture 'llama' is not supported: it has latent attention, which caches a compressed form of keys and values (kv_lora_rank is 512)" },
        { "'gpt2', 'add_cross_attention': true", "architecture 'gpt2' is not supported: it has an encoder beside the decoder, and attention to it (add_cross_attention is true)" },

        // Classes that contradict the architecture.
        { "'llama', 'architectures': ['MixtralForCausalLM']", "architectures has 'MixtralForCausalLM', a class of 'mixtral', but model_type is 'llama': one of them is wrong" },
        { "'phi', 'architectures': ['Phi3ForCausalLM']", "architectures has 'Phi3ForCausalLM', a class of 'phi3', but model_type is 'phi': one of them is wrong" },

        // Architectures.
        { "7", "model_type is 7, but must be the name of an architecture, such as 'llama'" },
        { "'mamba2'", "architecture 'mamba2' is not supported: it has recurrent layers in place of attention" },
        { "'t5'", "architecture 't5' is not supported: it has an encoder beside the decoder, and attention to it" },
        { "'olmo2'", "architecture 'olmo2' is not supported: it has norms after the blocks alone, and query and key norms over all heads together" },
        { "'newest', 'n_routed_experts': 64", "architecture 'newest' is not supported: it has mixtures of experts as feed-forward blocks (n_routed_experts is 64)" },
        { "'lama'", "architecture 'lama' is not known; did you mean 'llama'? Supported are " + string.Join(", ", HuggingFaceConfig.Architectures) },
        { "'gpt-neox'", "architecture 'gpt-neox' is not known; did you mean 'gpt_neox'? Supported are " + string.Join(", ", HuggingFaceConfig.Architectures) },
        { "'mixtrall'", "architecture 'mixtrall' is not known; did you mean 'mixtral'? It is not supported: it has mixtures of experts as feed-forward blocks. Supported are " + string.Join(", ", HuggingFaceConfig.Architectures) },
        { "'Something Else'", "architecture 'Something Else' is not known. Supported are " + string.Join(", ", HuggingFaceConfig.Architectures) },
        { "'\\u0007\\ud800'", "architecture '\\u0007\\ud800' is not known. Supported are " + string.Join(", ", HuggingFaceConfig.Architectures) },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Is_named_with_what_would_be_right(string keys, string message) =>
        HuggingFaceConfig.Parse(SmallestConfig.With(keys), "M").Message().ShouldBe(message);

    [Fact]
    public void A_file_without_width_or_layers_is_no_model() =>
        HuggingFaceConfig.Parse("""{ "model_type": "llama" }""", "M").Messages()
            .ShouldBe(["hidden_size is not given, but must be a whole number, 1 to 1,048,576", "num_hidden_layers is not given, but must be a whole number, 1 to 100,000"]);

    [Theory]
    [InlineData("", 1, 1, "expected a value, found the end of the text")]
    [InlineData("[]", 1, 1, "a config.json is an object, and this is a list of 0")]
    [InlineData("4096", 1, 1, "a config.json is an object, and this is 4096")]
    [InlineData("{}", 1, 1, "model_type is not given, but must be the name of an architecture, such as 'llama'")]
    [InlineData("{\n  \"model_type\": \"llama\",\n  \"model_type\": \"opt\" }", 3, 3, "the name 'model_type' stands twice in one object")]
    [InlineData("{ \"model_type\": \"llama\", \"hidden_size\": NaN }", 1, 41, "expected a value, found 'N'")]
    [InlineData("{ \"model_type\": \"llama\", \"hidden_size\": 1e999 }", 1, 41, "the number 1e999 is too large")]
    [InlineData("{ \"model_type\": \"llama\", \"num_hidden_layers\": 2,\n  \"hidden_size\": 0 }", 2, 18, "hidden_size is 0, but must be 1 to 1,048,576")]
    [InlineData("{ \"model_type\": \"llama\", ", 1, 26, "expected a name in quotes, found the end of the text")]
    public void Is_placed_in_the_text(string text, int line, int column, string message) =>
        HuggingFaceConfig.Parse(text, "M").Errors.ShouldBe([new ModelImportError(line, column, message)]);

    [Fact]
    public void Several_are_reported_together_in_order_of_the_text() =>
        HuggingFaceConfig.Parse("""{ "vocab_size": 0, "model_type": "llama", "num_hidden_layers": 2, "hidden_size": "x", "tie_word_embeddings": 3 }""", "M").Messages()
            .ShouldBe([
                "vocab_size is 0, but must be 1 to 16,777,216",
                "hidden_size is the string 'x', but must be a whole number, 1 to 1,048,576",
                "tie_word_embeddings is 3, but must be true or false",
            ]);

    [Fact]
    public void A_name_that_plans_cannot_print_is_refused() =>
        HuggingFaceConfig.Parse(SmallestConfig.Of("llama"), "a#b").Message()
            .ShouldBe("Name 'a#b' must be one printable line, not empty, without '#', double blanks, or blanks around it");

    [Fact]
    public void Deep_nesting_is_refused() =>
        HuggingFaceConfig.Parse("""{ "model_type": "llama", "x": """ + new string('[', 100_000), "M").Message().ShouldBe("arrays and objects nest more than 64 deep");

    [Fact]
    public void A_long_value_is_shown_in_part() =>
        HuggingFaceConfig.Parse($$"""{ "model_type": "llama", "num_hidden_layers": 2, "hidden_size": "{{new string('x', 100_000)}}" }""", "M").Message().Length.ShouldBeLessThan(200);

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        HuggingFaceConfig.Parse([(byte)'{', (byte)'"', 0xff, (byte)'"', (byte)'}'], "M").Message().ShouldBe("the file is not UTF-8 text: no character stands at byte 2");
        HuggingFaceConfig.Parse(System.Text.Encoding.Unicode.GetPreamble(), "M").Message().ShouldStartWith("the file is not UTF-8 text");
    }

    [Fact]
    public void A_byte_order_mark_is_skipped() =>
        HuggingFaceConfig.Parse([0xef, 0xbb, 0xbf, .. System.Text.Encoding.UTF8.GetBytes(SmallestConfig.Of("llama"))], "M").ShouldBeAModel();

    [Fact]
    public void A_text_beyond_the_limit_is_refused()
    {
        const string message = "the file has more than 1,048,576 bytes, too many for a config.json";
        HuggingFaceConfig.Parse(new byte[HuggingFaceConfig.MaxSize + 1], "M").Message().ShouldBe(message);
        HuggingFaceConfig.Parse(new string(' ', HuggingFaceConfig.MaxSize + 1), "M").Message().ShouldBe(message);
        HuggingFaceConfig.Parse(SmallestConfig.Of("llama").PadLeft(HuggingFaceConfig.MaxSize), "M").ShouldBeAModel();
    }

    [Fact]
    public void The_longest_stack_is_imported_in_its_runs()
    {
        var types = string.Join(", ", Enumerable.Range(0, 40_000).Select(i => i < 20_000 ? "\"full_attention\"" : "\"sliding_attention\""));
        var spec = HuggingFaceConfig.Parse($$"""{ "model_type": "gemma2", "hidden_size": 2304, "num_hidden_layers": 40000, "layer_types": [{{types}}] }""", "M").ShouldBeAModel().Spec;
        spec.Stack.Select(g => (g.Repeat, g.Pattern.Single().Name)).ShouldBe([(20_000, "GlobalLayer"), (20_000, "LocalLayer")]);
    }
}
