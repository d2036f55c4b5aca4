namespace Preserve;

/// <summary>TII's Falcon: parallel blocks, and one key and value head or, in its newer form, a few.</summary>
internal static class Falcon
{
    public static Decoder Read(ConfigReader config)
    {
        config.AlsoSpelled("hidden_size", "n_embed");
        config.AlsoSpelled("num_hidden_layers", "n_layer");
        config.AlsoSpelled("num_attention_heads", "n_head");
        config.AlsoSpelled("num_kv_heads", "n_head_kv");
        config.Only("alibi", only: false, unset: false, "attention biased by distance (ALiBi) cannot be expressed");

        // The older decoder has one key and value head or one for each query, by a flag.
        var newer = config.Flag("new_decoder_architecture", false);
        var keys = new SizeKeys { KeyValueHeads = newer ? "num_kv_heads" : null, HeadSize = null, Intermediate = "ffn_hidden_size" };
        var decoder = config.Decoder(new(65_024, null, 71, 2048), tied: true, config.Plain("activation", "gelu"), keys);
        var parallel = config.Flag("parallel_attn", true);
        var norms = config.Has("num_ln_in_parallel_attn") ? config.Whole("num_ln_in_parallel_attn", new ValueRange(1, 2), 1) : newer ? 2 : 1;
        if (norms == 2 && !newer)
            config.Refuse("num_ln_in_parallel_attn", config.Value("num_ln_in_parallel_attn"), "1: only the newer decoder has two");
        if (newer)
            config.Only("parallel_attn", only: true, unset: true, "the newer decoder has no other form");
        else
            decoder = decoder with { Attention = decoder.Attention with { KeyValueHeads = config.Flag("multi_query", true) ? 1 : decoder.Attention.Heads } };

        var bias = config.Flag("bias", false);
        return decoder.With(bias ? ProjectionBias.All : ProjectionBias.None).WithFeedForwardBias(bias) with
        {
            Norm = Norm.Layer,
            Parallel = parallel,
            SeparateNorms = parallel && norms == 2,
        };
    }
}
