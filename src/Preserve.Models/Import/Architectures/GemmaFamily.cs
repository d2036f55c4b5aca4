namespace Preserve;

/// <summary>Google's Gemma: scaled embeddings, tied to the output head, and gated GELU.</summary>
internal static class GemmaFamily
{
    public static Decoder Gemma(ConfigReader config) => Scaled(
        config,
        config.Decoder(
            new(256_000, 24_576, 16, 8192, KeyValueHeads: 16, HeadSize: 256), tied: true,
            config.Gated(config.Has("hidden_activation") ? "hidden_activation" : "hidden_act", "gelu_pytorch_tanh")));

    /// <summary>Norms before and after each block, soft caps, and a window in every other layer, the first included.</summary>
    public static Decoder Gemma2(ConfigReader config)
    {
        var decoder = config.Decoder(
            new(256_000, 9216, 8, 8192, KeyValueHeads: 4, HeadSize: 256), tied: true, config.Gated("hidden_activation", "gelu_pytorch_tanh"));
        return SoftCapped(config, Scaled(config, decoder), attention: 50, logits: 30)
            .WithWindow(config, config.OptionalSize(SizeKind.Window, "sliding_window", 4096), i => i % 2 == 0) with
        { PostNorm = true };
    }

    /// <summary>As Gemma-2, with query and key norms and a window in five of six layers; caps only where the file has them.</summary>
    public static Decoder Gemma3Text(ConfigReader config)
    {
        var decoder = config.Decoder(
            new(262_208, 9216, 8, 131_072, KeyValueHeads: 4, HeadSize: 256), tied: true, config.Gated("hidden_activation", "gelu_pytorch_tanh"));
        var pattern = config.Whole(config.Has("_sliding_window_pattern") ? "_sliding_window_pattern" : "sliding_window_pattern", new ValueRange(1, int.MaxValue), 6);
        config.Only("use_bidirectional_attention", only: false, unset: false, "its tokens would attend to what comes after them");
        return SoftCapped(config, Scaled(config, decoder with { Attention = decoder.Attention with { QueryKeyNorm = true } }), attention: null, logits: null)
            .WithWindow(config, config.OptionalSize(SizeKind.Window, "sliding_window", 4096), i => (i + 1) % pattern != 0) with
        { PostNorm = true };
    }

    private static Decoder Scaled(ConfigReader config, Decoder decoder) =>
        decoder.With(LlamaFamily.AttentionBias(config)) with { EmbeddingScale = true };

    private static Decoder SoftCapped(ConfigReader config, Decoder decoder, double? attention, double? logits) => decoder with
    {
        Attention = decoder.Attention with { SoftCap = config.Number("attn_logit_softcapping", attention) is not null },
        LogitSoftCap = config.Number("final_logit_softcapping", logits) is not null,
    };
}
