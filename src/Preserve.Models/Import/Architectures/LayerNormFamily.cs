namespace Preserve;

/// <summary>Newer decoders that kept the layer norm.</summary>
internal static class LayerNormFamily
{
    public static Decoder Starcoder2(ConfigReader config)
    {
        var bias = config.Flag("use_bias", true);
        return config.Decoder(new(49_152, 12_288, 24, 4096, KeyValueHeads: 2), tied: true, config.Plain("hidden_act", "gelu_pytorch_tanh"))
            .With(bias ? ProjectionBias.All : ProjectionBias.None).WithFeedForwardBias(bias).WithWindow(config, unset: null) with
        { Norm = Norm.Layer };
    }

    public static Decoder StableLm(ConfigReader config)
    {
        config.NotePartialRotation("partial_rotary_factor", 0.25);
        config.Only("qk_layernorm", only: false, unset: false, "layer norms of queries and keys cannot be expressed");
        return config.Decoder(new(50_304, 6912, 32, 4096, KeyValueHeads: 32), tied: false, config.Gated("hidden_act", "silu"), new SizeKeys { HeadSize = null })
            .With(config.Flag("use_qkv_bias", false) ? ProjectionBias.QueryKeyValue : ProjectionBias.None) with
        { Norm = Norm.Layer, Parallel = config.Flag("use_parallel_residual", false) };
    }
}
