namespace Preserve.Cpu;

/// <summary>Makes the weights of one rank from those of the whole model, as the optimizer lays them out: columns first, rows second
/// (Megatron-LM, arXiv 1909.08053), a matrix by its outputs, query rows before keys before values, gate before up.</summary>
internal sealed class RankShard(ModelSpec model, LayerSpec[] layers, IWeightSource source, int rank, int ranks)
{
    /// <summary>Fills a weight of a plan.</summary>
    /// <param name="weight">The place.</param>
    /// <param name="name">Its name, without that of its kind of layer.</param>
    /// <param name="layer">Its layer, -1 for none.</param>
    /// <exception cref="ArgumentException">No weight is of that name, or it has another size.</exception>
    public void Fill(Operand weight, string name, int layer)
    {
        var rows = new RowWriter(weight, source, layer);
        switch (name)
        {
            case "embedding" or "head_weight":
                Vocabulary(rows, name == "embedding" ? WeightKind.Embedding : WeightKind.Head);
                break;
            case "head_bias":
                var part = VocabularyPart;
                rows.Row(WeightKind.HeadBias, 0, Math.Min(rank * part, model.Vocabulary), Math.Clamp(model.Vocabulary - (rank * part), 0, part));
                rows.Zeros(part);
                break;
            case "position_weight":
                rows.Rows(WeightKind.Positions, 0, model.LearnedPositions, model.Hidden);
                break;
            case "final_norm_weight":
                Norm(rows, model.FinalNorm, WeightKind.FinalNorm, WeightKind.FinalNormBias);
                break;
            default:
                OfLayer(rows, name, layers[layer]);
                break;
        }
        if (!rows.IsFull)
            throw new ArgumentException($"'{name}' has {weight.Elements} elements, and the model's has {rows.Written} on this rank");
    }

    private int VocabularyPart => ((model.Vocabulary - 1) / ranks) + 1;

    private void OfLayer(RowWriter rows, string name, LayerSpec layer)
    {
        var attention = layer.HeadedAttention();
        var block = layer.DenseBlock();
        var query = attention.Heads / ranks * attention.HeadSize;
        var (firstKey, keys) = KeyRows(attention);
        var width = block.Intermediate / ranks;
        switch (name)
        {
            case "attn_norm_weight":
                Norm(rows, layer.Norm, WeightKind.AttentionNorm, WeightKind.AttentionNormBias);
                break;
            case "mlp_norm_weight":
                Norm(rows, layer.Norm, WeightKind.FeedForwardNorm, WeightKind.FeedForwardNormBias);
                break;
            case "attn_post_norm_weight":
                Norm(rows, layer.Norm, WeightKind.AttentionPostNorm, WeightKind.AttentionPostNormBias);
                break;
            case "mlp_post_norm_weight":
                Norm(rows, layer.Norm, WeightKind.FeedForwardPostNorm, WeightKind.FeedForwardPostNormBias);
                break;
            case "q_norm_weight" or "k_norm_weight":
                rows.Row(name == "q_norm_weight" ? WeightKind.QueryNorm : WeightKind.KeyNorm, 0, 0, attention.HeadSize);
                break;
            case "qkv_weight":
                rows.Rows(WeightKind.Query, rank * query, query, model.Hidden);
                rows.Rows(WeightKind.Key, firstKey, keys, model.Hidden);
                rows.Rows(WeightKind.Value, firstKey, keys, model.Hidden);
                break;
            case "qkv_bias":
                rows.Row(WeightKind.QueryBias, 0, rank * query, query);
                rows.Row(WeightKind.KeyBias, 0, firstKey, keys);
                rows.Row(WeightKind.ValueBias, 0, firstKey, keys);
                break;
            case "q_weight":
                rows.Rows(WeightKind.Query, rank * query, query, model.Hidden);
                break;
            case "k_weight" or "v_weight":
                rows.Rows(name == "k_weight" ? WeightKind.Key : WeightKind.Value, firstKey, keys, model.Hidden);
                break;
            case "q_bias":
                rows.Row(WeightKind.QueryBias, 0, rank * query, query);
                break;
            case "k_bias" or "v_bias":
                rows.Row(name == "k_bias" ? WeightKind.KeyBias : WeightKind.ValueBias, 0, firstKey, keys);
                break;
            case "out_weight":
                rows.Columns(WeightKind.Output, model.Hidden, rank * query, query);
                break;
            case "out_bias":
                rows.Row(WeightKind.OutputBias, 0, 0, model.Hidden);
                break;
            case "gate_up_weight":
                rows.Rows(WeightKind.Gate, rank * width, width, model.Hidden);
                rows.Rows(WeightKind.Up, rank * width, width, model.Hidden);
                break;
            case "gate_up_bias":
                rows.Row(WeightKind.GateBias, 0, rank * width, width);
                rows.Row(WeightKind.UpBias, 0, rank * width, width);
                break;
            case "gate_weight" or "up_weight":
                rows.Rows(name == "gate_weight" ? WeightKind.Gate : WeightKind.Up, rank * width, width, model.Hidden);
                break;
            case "gate_bias" or "up_bias":
                rows.Row(name == "gate_bias" ? WeightKind.GateBias : WeightKind.UpBias, 0, rank * width, width);
                break;
            case "down_weight":
                rows.Columns(WeightKind.Down, model.Hidden, rank * width, width);
                break;
            case "down_bias":
                rows.Row(WeightKind.DownBias, 0, 0, model.Hidden);
                break;
            default:
                throw new ArgumentException($"'{name}' is no weight of a layer of {model.Name}");
        }
    }

    /// <summary>Rows of the keys, and of the values, that a rank holds: its KV heads, or the one that its queries share with other ranks'.</summary>
    private (int First, int Count) KeyRows(MultiHeadAttentionSpec attention)
    {
        var heads = Math.Max(attention.KeyValueHeads / ranks, 1);
        var first = ranks >= attention.KeyValueHeads ? rank * attention.KeyValueHeads / ranks : rank * heads;
        return (first * attention.HeadSize, heads * attention.HeadSize);
    }

    /// <summary>This rank's tokens; the last rank's rows beyond the vocabulary are zero.</summary>
    private void Vocabulary(RowWriter rows, WeightKind kind)
    {
        var part = VocabularyPart;
        rows.Rows(kind, rank * part, Math.Clamp(model.Vocabulary - (rank * part), 0, part), model.Hidden);
        rows.Zeros((long)part * model.Hidden);
    }

    private void Norm(RowWriter rows, Norm norm, WeightKind weight, WeightKind bias)
    {
        rows.Row(weight, 0, 0, model.Hidden);
        if (norm == Preserve.Norm.Layer)
            rows.Row(bias, 0, 0, model.Hidden);
    }

    /// <summary>Writes a weight from its first element to its last.</summary>
    private sealed class RowWriter(Operand weight, IWeightSource source, int layer)
    {
        private float[] _row = [];

        public long Written { get; private set; }

        public bool IsFull => Written == weight.Elements;

        public void Row(WeightKind kind, int row, int column, int count)
        {
            if (_row.Length < count)
                _row = new float[count];
            var values = _row.AsSpan(0, count);
            source.Read(new WeightName(kind, layer), row, column, values);
            if (Written + count <= weight.Elements)
                weight.Store(Written, values);
            Written += count;
        }

        public void Rows(WeightKind kind, int first, int rows, int width)
        {
            for (var row = 0; row < rows; row++)
                Row(kind, first + row, 0, width);
        }

        public void Columns(WeightKind kind, int rows, int first, int count)
        {
            for (var row = 0; row < rows; row++)
                Row(kind, row, first, count);
        }

        /// <summary>Goes on to an element; what lies between is zero, as new memory is.</summary>
        public void Zeros(long until) => Written = Math.Max(Written, until);
    }
}
