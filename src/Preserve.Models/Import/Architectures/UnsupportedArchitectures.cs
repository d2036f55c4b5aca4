using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Architectures that are known and cannot be expressed, with what they have that a specification has no words for.</summary>
internal static class UnsupportedArchitectures
{
    public const string Experts = "mixtures of experts as feed-forward blocks";
    public const string Latent = "latent attention, which caches a compressed form of keys and values";
    public const string Recurrent = "recurrent layers in place of attention";
    public const string EncoderDecoder = "an encoder beside the decoder, and attention to it";

    private const string LatentExperts = Latent + ", and " + Experts;
    private const string Hybrid = "recurrent or convolutional layers between those with attention";
    private const string HybridExperts = "recurrent layers beside attention, and " + Experts;
    private const string Encoder = "attention to what comes after a token: it is an encoder";
    private const string Alibi = "attention biased by distance (ALiBi)";
    private const string PlainSquares = "squared ReLU as activation";

    private static readonly Dictionary<string, string> s_all = new[]
    {
        (Experts, "arctic dbrx deepseek dots1 ernie4_5_moe flex_olmo glm4_moe gpt_oss granitemoe granitemoeshared grok-1 hunyuan_v1_moe jetmoe llama4 llama4_text "
            + "minimax_m2 mixtral nllb-moe olmoe phimoe qwen2_moe qwen3_moe switch_transformers"),
        (LatentExperts, "deepseek_v2 deepseek_v3 deepseek_v32 kimi_k2 longcat_flash"),
        (Latent, "minicpm3"),
        (Recurrent, "falcon_mamba mamba mamba2 rwkv xlstm"),
        (Hybrid, "falcon_h1 lfm2 nemotron_h plamo2 recurrent_gemma zamba zamba2"),
        (HybridExperts, "bamba granitemoehybrid jamba minimax qwen3_next"),
        (EncoderDecoder, "bart blenderbot encoder-decoder fsmt led longt5 m2m_100 marian mbart mt5 pegasus prophetnet seamless_m4t t5 t5gemma umt5 whisper"),
        (Encoder, "albert bert camembert deberta deberta-v2 distilbert electra modernbert mpnet roberta xlm-roberta"),
        (Alibi, "bloom mpt"),
        (PlainSquares, "arcee nemotron persimmon"),
        ("layer norms without a bias", "cohere cohere2"),
        ("layer norms without weights", "olmo"),
        ("norms after the blocks alone, and query and key norms over all heads together", "olmo2 olmo3"),
        ("a bias of the output projection alone", "gpt_neo"),
        ("xIELU as activation", "apertus"),
        ("embeddings for each layer and layers that share a KV-cache", "gemma3n gemma3n_text"),
        ("attention to images between its layers", "mllama mllama_text_model"),
    }.SelectMany(group => group.Item2.Split(' ').Select(name => (name, group.Item1))).ToDictionary(StringComparer.Ordinal);

    public static IEnumerable<string> Names => s_all.Keys;

    /// <summary>What an architecture has that cannot be expressed; null where it is not known.</summary>
    public static string? MissingIn(string architecture) => s_all.GetValueOrDefault(architecture);

    /// <summary>What a file's keys say that cannot be expressed, whatever its architecture is called, with the key that says so.</summary>
    public static (string Key, string Missing)? MissingBy(ConfigReader config)
    {
        foreach (var (key, missing) in s_byKey)
        {
            if (config.Value(key) is { } value && (value.Kind == JsonKind.Number ? value.Number > 1 : value.Text == "true" || value.Kind is JsonKind.Object))
                return (key, missing);
        }
        return null;
    }

    private static readonly (string Key, string Missing)[] s_byKey =
    [
        ("is_encoder_decoder", EncoderDecoder),
        ("add_cross_attention", EncoderDecoder),
        ("kv_lora_rank", Latent),
        ("num_experts", Experts),
        ("num_local_experts", Experts),
        ("n_routed_experts", Experts),
        ("moe_num_experts", Experts),
        ("num_experts_per_tok", Experts),
        ("ssm_cfg", Recurrent),
        ("state_size", Recurrent),
        ("mamba_d_state", Recurrent),
        ("ssm_state_size", Recurrent),
    ];
}
