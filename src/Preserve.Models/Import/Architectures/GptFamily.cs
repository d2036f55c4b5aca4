namespace Preserve;

/// <summary>Decoders with layer norms and plain GELU, after GPT-2 and GPT-J.</summary>
internal static class GptFamily
{
    private static readonly SizeKeys s_keys = new()
    {
        Hidden = "n_embd",
        Layers = "n_layer",
        Heads = "n_head",
        KeyValueHeads = null,
        HeadSize = null,
        Intermediate = "n_inner",
        Positions = "n_positions",
    };

    public static Decoder Gpt2(ConfigReader config) => LearnedPositions(config, "gelu_new");

    /// <summary>GPT-2 with one key and value head for all queries, where the file does not say otherwise.</summary>
    public static Decoder GptBigCode(ConfigReader config)
    {
        var decoder = LearnedPositions(config, "gelu_pytorch_tanh");
        return config.Flag("multi_query", true) ? decoder with { Attention = decoder.Attention with { KeyValueHeads = 1 } } : decoder;
    }

    /// <summary>Also CodeGen, which lays out its query, key and value weights otherwise.</summary>
    public static Decoder GptJ(ConfigReader config)
    {
        GeneralNames(config);
        var decoder = config.Decoder(new(50_400, null, 16, 2048), tied: false, config.Plain("activation_function", "gelu_new"), s_keys);
        var rotated = config.Whole("rotary_dim", new ValueRange(1, int.MaxValue), 64);
        if (rotated < decoder.Attention.HeadSize)
            config.Note($"rotary_dim {rotated}: only that part of each head's {decoder.Attention.HeadSize} elements is rotated; a plan counts the rotation of all of it");
        return decoder.WithFeedForwardBias(true) with { Norm = Norm.Layer, Parallel = true, HeadBias = true };
    }

    public static Decoder GptNeoX(ConfigReader config)
    {
        config.NotePartialRotation("rotary_pct", 0.25);
        var parallel = config.Flag("use_parallel_residual", true);
        return config.Decoder(
                new(50_432, 24_576, 64, 2048), tied: false, config.Plain("hidden_act", "gelu"), new SizeKeys { KeyValueHeads = null, HeadSize = null })
            .With(config.Flag("attention_bias", true) ? ProjectionBias.All : ProjectionBias.None)
            .WithFeedForwardBias(true) with
        { Norm = Norm.Layer, Parallel = parallel, SeparateNorms = parallel };
    }

    private static Decoder LearnedPositions(ConfigReader config, string activation)
    {
        GeneralNames(config);
        var decoder = config.Decoder(new(50_257, null, 12, 1024), tied: true, config.Plain("activation_function", activation), s_keys);
        return decoder.With(ProjectionBias.All).WithFeedForwardBias(true) with { Norm = Norm.Layer, LearnedPositions = decoder.Positions };
    }

    private static void GeneralNames(ConfigReader config)
    {
        config.AlsoSpelled("n_embd", "hidden_size");
        config.AlsoSpelled("n_layer", "num_hidden_layers");
        config.AlsoSpelled("n_head", "num_attention_heads");
        config.AlsoSpelled("n_positions", "max_position_embeddings");
    }
}
