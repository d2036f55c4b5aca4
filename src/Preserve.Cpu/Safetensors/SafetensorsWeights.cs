using System.Globalization;
using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>Weights from safetensors files, which stay open. Every weight of the model is looked for and its shape checked first, and nothing else may lie in the files.</summary>
/// <remarks>A tensor that the model does not name is most often one that its declaration has forgotten: a bias, a norm, a layer. What may be left unread is said by name; a copy
/// of the embedding may always, where the output head is the embedding.</remarks>
public sealed class SafetensorsWeights : IWeightSource
{
    private readonly Dictionary<WeightName, (SafetensorsFile File, SafetensorsTensor Tensor, int Columns)> _weights = [];

    /// <summary>Finds a model's weights.</summary>
    /// <param name="model">The model.</param>
    /// <param name="files">One file, or the parts of a checkpoint; whoever opened them closes them.</param>
    /// <param name="nameOf">What a weight is called there; null for <see cref="LlamaName"/>.</param>
    /// <param name="mayBeLeft">Whether the tensor of a name may be left unread, of those that are no weights of the model; null for none.</param>
    /// <exception cref="ArgumentException">One of the files is null, or a weight has no name.</exception>
    /// <exception cref="NotSupportedException">The model has layers of a kind that is not computed here, or a weight that has no name among <see cref="LlamaName"/>'s.</exception>
    /// <exception cref="SafetensorsException">A weight is missing, stands in two files, or has another shape or a type that is not read; or a tensor is no weight of
    /// the model and may not be left unread.</exception>
    public SafetensorsWeights(ModelSpec model, IReadOnlyList<SafetensorsFile> files, Func<WeightName, string>? nameOf = null, Func<string, bool>? mayBeLeft = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(files);
        if (files.Any(f => f is null))
            throw new ArgumentException("one of the files is null", nameof(files));
        Model = model;
        nameOf ??= LlamaName;
        // All are named before the first is looked for.
        var wanted = ModelWeights.Of(model).Select(w => (w.Name, w.Rows, w.Columns, Tensor: nameOf(w.Name))).ToList();
        foreach (var (weight, rows, columns, name) in wanted)
        {
            if (name is null)
                throw new ArgumentException($"{weight} of {model.Name} has no name", nameof(nameOf));
            var found = files.Where(f => f.Find(name) is not null).ToList();
            if (found.Count != 1)
                throw new SafetensorsException($"tensor '{name}', {weight} of {model.Name}, stands in {(found.Count == 0 ? "none" : found.Count.ToString(CultureInfo.InvariantCulture))} of the files");
            var tensor = found[0].Find(name)!;
            EquatableArray<long> matrix = new long[] { rows, columns }, vector = new long[] { columns };
            if (tensor.Shape != matrix && !(rows == 1 && tensor.Shape == vector))
                throw new SafetensorsException($"tensor '{name}' has shape [{string.Join(", ", tensor.Shape)}], and {weight} of {model.Name} has [{string.Join(", ", rows == 1 ? vector : matrix)}]");
            if (!IsRead(tensor))
                throw new SafetensorsException($"tensor '{name}' is of type {tensor.Type}, and only F32, F16 and BF16 are read");
            _weights.Add(weight, (found[0], tensor, columns));
        }
        var names = wanted.Select(w => w.Tensor).ToHashSet(StringComparer.Ordinal);
        var left = files.SelectMany(f => f.Tensors, (file, tensor) => (File: file, Tensor: tensor))
            .Where(t => !names.Contains(t.Tensor.Name) && mayBeLeft?.Invoke(t.Tensor.Name) != true && !(model.TiedEmbeddings && IsEmbedding(t.File, t.Tensor)))
            .Select(t => t.Tensor).ToList();
        if (left is [var first, ..])
        {
            var others = left.Count == 1 ? "" : $", and {left.Count - 1} more of the files are none";
            var reason = model.TiedEmbeddings && first.Shape == Embedding.Tensor.Shape ? "its output head is the embedding, and this is no copy of it" : "declare it, or say that it may be left unread";
            throw new SafetensorsException($"tensor '{SafetensorsHeader.Printable(first.Name)}' is no weight of {model.Name}{others}: {reason}");
        }
    }

    /// <inheritdoc/>
    public ModelSpec Model { get; }

    /// <inheritdoc/>
    public void Read(WeightName weight, int row, int column, Span<float> values)
    {
        if (!_weights.TryGetValue(weight, out var place))
            throw new KeyNotFoundException($"the model has no {weight}");
        if (column < 0 || values.Length > place.Columns - column)
            throw new ArgumentOutOfRangeException(nameof(column), column, $"a row of {weight} has {place.Columns} elements, and {values.Length} are wanted from there on");
        place.File.Read(place.Tensor, ((long)row * place.Columns) + column, values);
    }

    private (SafetensorsFile File, SafetensorsTensor Tensor, int Columns) Embedding => _weights[new WeightName(WeightKind.Embedding, -1)];

    private static bool IsRead(SafetensorsTensor tensor) => tensor.Type is "F32" or "F16" or "BF16";

    /// <summary>Whether a tensor holds the numbers of the embedding.</summary>
    private bool IsEmbedding(SafetensorsFile file, SafetensorsTensor tensor)
    {
        var (embeddingFile, embedding, columns) = Embedding;
        if (tensor.Shape != embedding.Shape || !IsRead(tensor))
            return false;
        var (row, embedded) = (new float[columns], new float[columns]);
        for (var first = 0L; first < tensor.Elements; first += columns)
        {
            file.Read(tensor, first, row);
            embeddingFile.Read(embedding, first, embedded);
            if (!MemoryMarshal.AsBytes<float>(row).SequenceEqual(MemoryMarshal.AsBytes<float>(embedded)))
                return false;
        }
        return true;
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
