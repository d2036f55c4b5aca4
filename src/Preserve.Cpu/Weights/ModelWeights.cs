namespace Preserve.Cpu;

/// <summary>The weights that a model has.</summary>
public static class ModelWeights
{
    /// <summary>Every weight of a model with its shape: rows and elements of a row; a vector has one row.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> is null.</exception>
    /// <exception cref="NotSupportedException">It has layers of a kind that is not computed here; said when the weights are gone through.</exception>
    public static IEnumerable<(WeightName Name, int Rows, int Columns)> Of(ModelSpec model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Weights(model);
    }

    private static IEnumerable<(WeightName Name, int Rows, int Columns)> Weights(ModelSpec model)
    {
        var hidden = model.Hidden;
        yield return (new(WeightKind.Embedding, -1), model.Vocabulary, hidden);
        if (model.LearnedPositions > 0)
            yield return (new(WeightKind.Positions, -1), model.LearnedPositions, hidden);
        foreach (var norm in Norm(model.FinalNorm, WeightKind.FinalNorm, WeightKind.FinalNormBias, -1, hidden))
            yield return norm;
        if (!model.TiedEmbeddings)
            yield return (new(WeightKind.Head, -1), model.Vocabulary, hidden);
        if (model.HeadBias)
            yield return (new(WeightKind.HeadBias, -1), 1, model.Vocabulary);
        var layers = model.LayerSpecs();
        for (var layer = 0; layer < layers.Length; layer++)
        {
            foreach (var weight in OfLayer(layers[layer], layer, hidden))
                yield return weight;
        }
    }

    /// <summary>The first weight that a source and a model have in different shapes, or that only one of them has; null where there is none.</summary>
    internal static string? Difference(ModelSpec source, ModelSpec model)
    {
        var (given, wanted) = (Shapes(source), Shapes(model));
        return wanted.Keys.Concat(given.Keys).Where(w => Shape(given, w) != Shape(wanted, w))
            .Select(w => $"{w} is {Shape(given, w)} in the weights, and {Shape(wanted, w)} in {model.Name}").FirstOrDefault();

        static Dictionary<WeightName, (int Rows, int Columns)> Shapes(ModelSpec of) => Of(of).ToDictionary(w => w.Name, w => (w.Rows, w.Columns));

        static string Shape(Dictionary<WeightName, (int Rows, int Columns)> shapes, WeightName weight) => shapes.TryGetValue(weight, out var s) ? $"{s.Rows} x {s.Columns}" : "missing";
    }

    private static List<(WeightName Name, int Rows, int Columns)> OfLayer(LayerSpec spec, int layer, int hidden)
    {
        var attention = spec.HeadedAttention();
        var block = spec.DenseBlock();
        var (query, key, width) = (attention.Heads * attention.HeadSize, attention.KeyValueHeads * attention.HeadSize, block.Intermediate);
        var weights = new List<(WeightName Name, int Rows, int Columns)>();
        weights.AddRange(Norm(spec.Norm, WeightKind.AttentionNorm, WeightKind.AttentionNormBias, layer, hidden));
        if (!spec.Parallel || spec.SeparateNorms)
            weights.AddRange(Norm(spec.Norm, WeightKind.FeedForwardNorm, WeightKind.FeedForwardNormBias, layer, hidden));
        if (spec.PostNorm)
        {
            weights.AddRange(Norm(spec.Norm, WeightKind.AttentionPostNorm, WeightKind.AttentionPostNormBias, layer, hidden));
            weights.AddRange(Norm(spec.Norm, WeightKind.FeedForwardPostNorm, WeightKind.FeedForwardPostNormBias, layer, hidden));
        }
        Add(true, WeightKind.Query, query, hidden);
        Add(true, WeightKind.Key, key, hidden);
        Add(true, WeightKind.Value, key, hidden);
        Add(true, WeightKind.Output, hidden, query);
        Add(attention.Bias != ProjectionBias.None, WeightKind.QueryBias, 1, query);
        Add(attention.Bias != ProjectionBias.None, WeightKind.KeyBias, 1, key);
        Add(attention.Bias != ProjectionBias.None, WeightKind.ValueBias, 1, key);
        Add(attention.Bias == ProjectionBias.All, WeightKind.OutputBias, 1, hidden);
        Add(attention.QueryKeyNorm, WeightKind.QueryNorm, 1, attention.HeadSize);
        Add(attention.QueryKeyNorm, WeightKind.KeyNorm, 1, attention.HeadSize);
        Add(block.Activation.IsGated(), WeightKind.Gate, width, hidden);
        Add(true, WeightKind.Up, width, hidden);
        Add(true, WeightKind.Down, hidden, width);
        Add(block.Bias && block.Activation.IsGated(), WeightKind.GateBias, 1, width);
        Add(block.Bias, WeightKind.UpBias, 1, width);
        Add(block.Bias, WeightKind.DownBias, 1, hidden);
        return weights;

        void Add(bool has, WeightKind kind, int rows, int columns)
        {
            if (has)
                weights.Add((new WeightName(kind, layer), rows, columns));
        }
    }

    private static IEnumerable<(WeightName Name, int Rows, int Columns)> Norm(Norm norm, WeightKind weight, WeightKind bias, int layer, int hidden)
    {
        yield return (new(weight, layer), 1, hidden);
        if (norm == Preserve.Norm.Layer)
            yield return (new(bias, layer), 1, hidden);
    }
}
