using System.Collections.Generic;

namespace Preserve;

/// <summary>Microsoft's Phi before Phi-3, and Phi-3-small, which shares nothing with its siblings but the name.</summary>
internal static class PhiFamily
{
    public static Decoder Phi(ConfigReader config)
    {
        config.NotePartialRotation("partial_rotary_factor", 0.5);
        config.Only("qk_layernorm", only: false, unset: false, "layer norms of queries and keys cannot be expressed");
        return config.Decoder(new(51_200, 8192, 32, 2048), tied: false, config.Plain("hidden_act", "gelu_new"))
            .With(ProjectionBias.All).WithFeedForwardBias(true) with
        { Norm = Norm.Layer, Parallel = true, HeadBias = true };
    }

    /// <summary>Every linear layer has a bias, whatever <c>attention_bias</c> of the published file says.</summary>
    public static Decoder Phi3Small(ConfigReader config)
    {
        if (config.Has("ff_dim_multiplier"))
            config.Refuse("ff_dim_multiplier", config.Value("ff_dim_multiplier"), "null: give ff_intermediate_size");
        var dense = config.Has("dense_attention_every_n_layers") ? config.Whole("dense_attention_every_n_layers", new ValueRange(1, int.MaxValue), 1) : 1;
        if (!config.Has("dense_attention_every_n_layers") || dense > 1)
            config.Note("some layers of the published model attend sparsely, in blocks (blocksparse_*); here all attend to all tokens");
        var keys = new SizeKeys { HeadSize = null, Intermediate = "ff_intermediate_size" };
        var activation = config.Word("hidden_act", "gegelu", new Dictionary<string, Activation> { ["gegelu"] = Activation.GeGlu });
        return config.Decoder(new(100_352, 14_336, 32, 8192, KeyValueHeads: 8), tied: true, activation, keys)
            .With(ProjectionBias.All).WithFeedForwardBias(true) with
        { Norm = Norm.Layer, EmbeddingScale = config.Number("mup_embedding_multiplier", 10) is not (null or 1) };
    }
}
