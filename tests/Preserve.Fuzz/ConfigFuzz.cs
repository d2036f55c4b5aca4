namespace Preserve.Fuzz;

/// <summary>Configurations of published models, damaged: the import of each gives a sound model or errors.</summary>
internal sealed class ConfigFuzz(IReadOnlyList<string> configs) : FuzzTarget("config.json")
{
    private static readonly string[] s_keys =
    [
        "model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size",
        "max_position_embeddings", "tie_word_embeddings", "sliding_window", "layer_types", "n_embd", "num_experts", "text_config", "torch_dtype", "is_encoder_decoder",
    ];

    public override byte[] Next(Random random) => Damage.Encode(Damage.Members(configs[random.Next(configs.Count)], s_keys, random), random);

    public override IReadOnlyList<string> Read(byte[] file)
    {
        var result = HuggingFaceConfig.Parse(file, "M");
        if (result.Model is null == (result.Errors.Count == 0))
            throw new InvalidOperationException("neither a model nor errors, or both");
        if (result.Model is { } model
            && (ModelRules.Check(model.Spec).Count > 0 || model.Spec.ParameterCount <= 0 || LayerGroups.Canonical(model.Spec.Stack) != model.Spec.Stack))
        {
            throw new InvalidOperationException("the model is not sound");
        }
        return [.. result.Errors.Select(e => e.Message)];
    }
}
