using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>Decoders that normalise by root mean square, rotate queries and keys, and gate their feed-forward blocks. Defaults are
/// those of the configuration classes of Hugging Face's transformers, as in the other families.</summary>
internal static class LlamaFamily
{
    public static Decoder Llama(ConfigReader config) => Biased(
        config, config.Decoder(new(32_000, 11_008, 32, 2048), tied: false, config.Gated("hidden_act", "silu")));

    public static Decoder Mistral(ConfigReader config) =>
        config.Decoder(new(32_000, 14_336, 32, 131_072, KeyValueHeads: 8), tied: false, config.Gated("hidden_act", "silu"))
            .WithWindow(config, unset: 4096);

    public static Decoder Qwen2(ConfigReader config) => QwenWindow(
        config,
        config.Decoder(new(151_936, 22_016, 32, 32_768, KeyValueHeads: 32), tied: false, config.Gated("hidden_act", "silu"))
            .With(ProjectionBias.QueryKeyValue));

    public static Decoder Qwen3(ConfigReader config)
    {
        var decoder = config.Decoder(
            new(151_936, 22_016, 32, 32_768, KeyValueHeads: 32, HeadSize: 128), tied: false, config.Gated("hidden_act", "silu"));
        return QwenWindow(config, (decoder with { Attention = decoder.Attention with { QueryKeyNorm = true } }).With(AttentionBias(config)));
    }

    /// <summary>Its multipliers of attention, residual and logits cost nothing: they fuse with what stands before them.</summary>
    public static Decoder Granite(ConfigReader config) => Llama(config) with
    {
        EmbeddingScale = config.Number("embedding_multiplier", 1) is not (null or 1),
    };

    /// <summary>Every fourth layer does not rotate.</summary>
    public static Decoder SmolLm3(ConfigReader config)
    {
        var decoder = Biased(
            config, config.Decoder(new(128_256, 11_008, 16, 32_768, KeyValueHeads: 4), tied: true, config.Gated("hidden_act", "silu")));
        var interval = config.Whole("no_rope_layer_interval", new ValueRange(1, int.MaxValue), 4);
        var listed = config.PerLayer("no_rope_layers", decoder.Layers, mayBeLonger: true, new Dictionary<string, bool> { ["1"] = true, ["0"] = false });
        Func<int, bool> isRotated = listed is null ? i => (i + 1) % interval != 0 : i => listed[i];
        var window = config.OptionalSize(SizeKind.Window, "sliding_window", null);
        return decoder.WithWindow(config, config.Flag("use_sliding_window", false) ? window : null, i => !isRotated(i)) with { IsRotated = isRotated };
    }

    public static Decoder Phi3(ConfigReader config)
    {
        config.NotePartialRotation("partial_rotary_factor", 1);
        return config.Decoder(new(32_064, 8192, 32, 4096), tied: false, config.Gated("hidden_act", "silu")).WithWindow(config, unset: null);
    }

    public static Decoder Glm(ConfigReader config)
    {
        config.NotePartialRotation("partial_rotary_factor", 0.5);
        return config.Decoder(new(151_552, 13_696, 32, 131_072, KeyValueHeads: 2, HeadSize: 128), tied: false, config.Gated("hidden_act", "silu"))
            .With(config.Flag("attention_bias", true) ? ProjectionBias.QueryKeyValue : ProjectionBias.None);
    }

    public static Decoder Glm4(ConfigReader config) => Glm(config) with { PostNorm = true };

    public static ProjectionBias AttentionBias(ConfigReader config) => config.Flag("attention_bias", false) ? ProjectionBias.All : ProjectionBias.None;

    private static Decoder Biased(ConfigReader config, Decoder decoder) =>
        decoder.With(AttentionBias(config)).WithFeedForwardBias(config.Flag("mlp_bias", false));

    private static Decoder QwenWindow(ConfigReader config, Decoder decoder)
    {
        var used = config.Flag("use_sliding_window", false);
        var window = config.OptionalSize(SizeKind.Window, "sliding_window", used ? 4096 : null);
        var firstLocal = config.Whole("max_window_layers", new ValueRange(0, int.MaxValue), 28);
        return decoder.WithWindow(config, used ? window : null, i => i >= firstLocal);
    }
}
