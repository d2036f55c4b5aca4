using System.Globalization;

namespace Preserve.Cpu;

/// <summary>Weights from safetensors files, which stay open. Every weight of the model is looked for and its shape checked first.</summary>
public sealed class SafetensorsWeights : IWeightSource
{
    private readonly Dictionary<WeightName, (SafetensorsFile File, SafetensorsTensor Tensor, int Columns)> _weights = [];

    /// <summary>Finds a model's weights.</summary>
    /// <param name="model">The model.</param>
    /// <param name="files">One file, or the parts of a checkpoint; whoever opened them closes them.</param>
    /// <param name="nameOf">What a weight is called there; null for <see cref="LlamaName"/>.</param>
    /// <exception cref="SafetensorsException">A weight is missing, stands in two files, or has another shape or a type that is not read.</exception>
    public SafetensorsWeights(ModelSpec model, IReadOnlyList<SafetensorsFile> files, Func<WeightName, string>? nameOf = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(files);
        nameOf ??= LlamaName;
        foreach (var (weight, rows, columns) in ModelWeights.Of(model))
        {
            var name = nameOf(weight);
            var found = files.Where(f => f.Find(name) is not null).ToList();
            if (found.Count != 1)
                throw new SafetensorsException($"tensor '{name}', {weight} of {model.Name}, stands in {(found.Count == 0 ? "none" : found.Count.ToString(CultureInfo.InvariantCulture))} of the files");
            var tensor = found[0].Find(name)!;
            EquatableArray<long> matrix = new long[] { rows, columns }, vector = new long[] { columns };
            if (tensor.Shape != matrix && !(rows == 1 && tensor.Shape == vector))
                throw new SafetensorsException($"tensor '{name}' has shape [{string.Join(", ", tensor.Shape)}], and {weight} of {model.Name} has [{string.Join(", ", rows == 1 ? vector : matrix)}]");
            if (tensor.Type is not ("F32" or "F16" or "BF16"))
                throw new SafetensorsException($"tensor '{name}' is of type {tensor.Type}, and only F32, F16 and BF16 are read");
            _weights.Add(weight, (found[0], tensor, columns));
        }
    }

    /// <inheritdoc/>
    public void Read(WeightName weight, int row, int column, Span<float> values)
    {
        if (!_weights.TryGetValue(weight, out var place))
            throw new KeyNotFoundException($"the model has no {weight}");
        if (column < 0 || values.Length > place.Columns - column)
            throw new ArgumentOutOfRangeException(nameof(column), column, $"a row of {weight} has {place.Columns} elements, and {values.Length} are wanted from there on");
        place.File.Read(place.Tensor, ((long)row * place.Columns) + column, values);
    }

    /// <summary>What Llama, Mistral and Qwen call a weight in their checkpoints.</summary>
    /// <param name="weight">The weight.</param>
    /// <exception cref="NotSupportedException">They have no such weight.</exception>
    public static string LlamaName(WeightName weight)
    {
        var name = weight.Kind switch
        {
            WeightKind.Embedding => "model.embed_tokens.weight",
            WeightKind.FinalNorm => "model.norm.weight",
            WeightKind.Head => "lm_head.weight",
            WeightKind.AttentionNorm => "input_layernorm.weight",
            WeightKind.FeedForwardNorm => "post_attention_layernorm.weight",
            WeightKind.Query => "self_attn.q_proj.weight",
            WeightKind.Key => "self_attn.k_proj.weight",
            WeightKind.Value => "self_attn.v_proj.weight",
            WeightKind.Output => "self_attn.o_proj.weight",
            WeightKind.QueryBias => "self_attn.q_proj.bias",
            WeightKind.KeyBias => "self_attn.k_proj.bias",
            WeightKind.ValueBias => "self_attn.v_proj.bias",
            WeightKind.OutputBias => "self_attn.o_proj.bias",
            WeightKind.QueryNorm => "self_attn.q_norm.weight",
            WeightKind.KeyNorm => "self_attn.k_norm.weight",
            WeightKind.Gate => "mlp.gate_proj.weight",
            WeightKind.Up => "mlp.up_proj.weight",
            WeightKind.Down => "mlp.down_proj.weight",
            WeightKind.GateBias => "mlp.gate_proj.bias",
            WeightKind.UpBias => "mlp.up_proj.bias",
            WeightKind.DownBias => "mlp.down_proj.bias",
            _ => throw new NotSupportedException($"checkpoints of Llama, Mistral and Qwen have no {weight}: give the names of another kind"),
        };
        return weight.Layer < 0 ? name : $"model.layers.{weight.Layer.ToString(CultureInfo.InvariantCulture)}.{name}";
    }
}
