namespace Preserve.Cpu;

/// <summary>Weights made of a seed: each element is a function of its place alone, so that a shard is made without the rest.</summary>
/// <remarks>Uniform numbers of 24 bits from SplitMix64's output function (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
/// generators", 2014). A matrix has variance 1 / inputs, so that values neither grow nor fade from layer to layer; a norm's weight lies near 1.</remarks>
/// <param name="model">The model.</param>
/// <param name="seed">The seed.</param>
public sealed class SeededWeights(ModelSpec model, ulong seed) : IWeightSource
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private const float Small = 0.1f;

    private readonly Dictionary<WeightName, (int Rows, int Columns)> _shapes = ModelWeights.Of(model).ToDictionary(w => w.Name, w => (w.Rows, w.Columns));

    private readonly LayerSpec[] _layers = model.LayerSpecs();

    /// <inheritdoc/>
    public ModelSpec Model { get; } = model;

    /// <inheritdoc/>
    public void Read(WeightName weight, int row, int column, Span<float> values)
    {
        if (!_shapes.TryGetValue(weight, out var shape))
            throw new KeyNotFoundException($"{Model.Name} has no {weight}");
        if (row < 0 || row >= shape.Rows)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"{weight} has {shape.Rows} rows");
        if (column < 0 || values.Length > shape.Columns - column)
            throw new ArgumentOutOfRangeException(nameof(column), column, $"a row of {weight} has {shape.Columns} elements, and {values.Length} are wanted from there on");
        var key = Mix(Mix(Mix(seed + Step) ^ ((ulong)weight.Kind + 1)) ^ (ulong)(weight.Layer + 2));
        key = Mix(key ^ ((ulong)row + 1));
        var (centre, width) = Range(weight);
        for (var i = 0; i < values.Length; i++)
        {
            var bits = Mix(key + (Step * ((ulong)(column + i) + 1))) >> 40;
            values[i] = centre + (width * ((bits / 8_388_608f) - 1));
        }
    }

    /// <summary>The middle of a weight's values, and how far they reach to both sides.</summary>
    private (float Centre, float Width) Range(WeightName weight)
    {
        var layer = weight.Layer < 0 ? null : _layers[weight.Layer];
        return weight.Kind switch
        {
            WeightKind.Embedding => (0, Model.EmbeddingScale || Model.TiedEmbeddings ? Uniform(Model.Hidden) : Uniform(1)),
            WeightKind.Head or WeightKind.Query or WeightKind.Key or WeightKind.Value or WeightKind.Gate or WeightKind.Up => (0, Uniform(Model.Hidden)),
            WeightKind.Output => (0, Uniform(layer!.HeadedAttention().Heads * layer!.HeadedAttention().HeadSize)),
            WeightKind.Down => (0, Uniform(layer!.DenseBlock().Intermediate)),
            WeightKind.Positions => (0, 0.5f),
            WeightKind.FinalNorm or WeightKind.AttentionNorm or WeightKind.FeedForwardNorm or WeightKind.AttentionPostNorm
                or WeightKind.FeedForwardPostNorm or WeightKind.QueryNorm or WeightKind.KeyNorm => (1, Small),
            _ => (0, Small),
        };
    }

    /// <summary>Half the width of uniform numbers whose variance is 1 / inputs.</summary>
    private static float Uniform(int inputs) => (float)Math.Sqrt(3.0 / inputs);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
