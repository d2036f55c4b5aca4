namespace Preserve;

/// <summary>Meta's OPT: learned positions, ReLU, biases everywhere.</summary>
internal static class Opt
{
    /// <summary>Rows of the position table before that of the first token.</summary>
    private const int PositionOffset = 2;

    public static Decoder Read(ConfigReader config)
    {
        config.AlsoSpelled("hidden_size", "d_model");
        var keys = new SizeKeys { KeyValueHeads = null, HeadSize = null, Intermediate = "ffn_dim" };
        var decoder = config.Decoder(new(50_272, 3072, 12, 2048), tied: true, config.Plain("activation_function", "relu"), keys);
        var embedded = config.OptionalSize(SizeKind.Hidden, "word_embed_proj_dim", null) ?? decoder.Hidden;
        if (embedded != decoder.Hidden && !config.HasErrors)
            config.Refuse("word_embed_proj_dim", config.Value("word_embed_proj_dim"), $"hidden_size, {decoder.Hidden}: projections between the embedding and the layers cannot be expressed");
        config.Only("do_layer_norm_before", only: true, unset: true, "norms after the blocks in place of those before them cannot be expressed");
        config.Only("layer_norm_elementwise_affine", only: true, unset: true, "norms without weights cannot be expressed");
        config.Only("_remove_final_layer_norm", only: false, unset: false, "an output head without a norm before it cannot be expressed");
        var bias = config.Flag("enable_bias", true);
        var rows = decoder.Positions + PositionOffset;
        if (!SpecificationLimits.LearnedPositions.Contains(rows))
            config.Refuse("max_position_embeddings", config.Value("max_position_embeddings"), $"at most {SpecificationLimits.LearnedPositions.Most - PositionOffset}: its table has {PositionOffset} rows more");
        return decoder.With(bias ? ProjectionBias.All : ProjectionBias.None).WithFeedForwardBias(bias) with { Norm = Norm.Layer, LearnedPositions = rows };
    }
}
