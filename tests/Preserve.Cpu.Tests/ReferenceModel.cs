namespace Preserve.Cpu.Tests;

/// <summary>A decoder-only transformer as one would write it down: in double precision, all tokens of a sequence at once, no cache, no ranks, no
/// plan. Weights are those of the source, rounded to the format that a plan stores them in.</summary>
internal sealed class ReferenceModel(ModelSpec model, IWeightSource weights, ModelConstants constants, Precision format = Precision.Bf16)
{
    private readonly LayerSpec[] _layers = [.. model.Stack.SelectMany(g => Enumerable.Repeat(g.Pattern, g.Repeat).SelectMany(p => p))];

    /// <summary>Logits of the token after a sequence.</summary>
    public double[] Logits(ReadOnlySpan<int> tokens)
    {
        var stream = new double[tokens.Length][];
        for (var t = 0; t < tokens.Length; t++)
        {
            stream[t] = Row(WeightKind.Embedding, -1, tokens[t], model.Hidden);
            if (model.EmbeddingScale)
                stream[t] = [.. stream[t].Select(x => x * (constants.EmbeddingFactor ?? Math.Sqrt(model.Hidden)))];
            if (model.LearnedPositions > 0)
                stream[t] = Sum(stream[t], Row(WeightKind.Positions, -1, t + Math.Max(0, model.LearnedPositions - model.MaxPositions), model.Hidden));
        }
        for (var layer = 0; layer < _layers.Length; layer++)
            Layer(stream, layer);

        var last = Normed(model.FinalNorm, stream[^1], WeightKind.FinalNorm, WeightKind.FinalNormBias, -1);
        var logits = Project(model.TiedEmbeddings ? WeightKind.Embedding : WeightKind.Head, -1, model.Vocabulary, last);
        if (model.HeadBias)
            logits = Sum(logits, Row(WeightKind.HeadBias, -1, 0, model.Vocabulary));
        return model.LogitSoftCap ? [.. logits.Select(x => constants.LogitSoftCap * Math.Tanh(x / constants.LogitSoftCap))] : logits;
    }

    private void Layer(double[][] stream, int layer)
    {
        var spec = _layers[layer];
        var attended = stream.Select(h => Normed(spec.Norm, h, WeightKind.AttentionNorm, WeightKind.AttentionNormBias, layer)).ToArray();
        var attention = Attention(attended, layer);
        for (var t = 0; t < stream.Length; t++)
        {
            if (spec.PostNorm)
                attention[t] = Normed(spec.Norm, attention[t], WeightKind.AttentionPostNorm, WeightKind.AttentionPostNormBias, layer);
            var before = spec.Parallel ? stream[t] : Sum(stream[t], attention[t]);
            var input = spec.Parallel && !spec.SeparateNorms ? attended[t] : Normed(spec.Norm, before, WeightKind.FeedForwardNorm, WeightKind.FeedForwardNormBias, layer);
            var output = FeedForward(input, layer);
            if (spec.PostNorm)
                output = Normed(spec.Norm, output, WeightKind.FeedForwardPostNorm, WeightKind.FeedForwardPostNormBias, layer);
            stream[t] = spec.Parallel ? Sum(Sum(stream[t], attention[t]), output) : Sum(before, output);
        }
    }

    private double[][] Attention(double[][] input, int layer)
    {
        var spec = (MultiHeadAttentionSpec)_layers[layer].Attention;
        var (size, biased) = (spec.HeadSize, spec.Bias != ProjectionBias.None);
        var (q, k, v) = (new double[input.Length][], new double[input.Length][], new double[input.Length][]);
        for (var t = 0; t < input.Length; t++)
        {
            q[t] = Biased(Project(WeightKind.Query, layer, spec.Heads * size, input[t]), WeightKind.QueryBias, layer, biased);
            k[t] = Biased(Project(WeightKind.Key, layer, spec.KeyValueHeads * size, input[t]), WeightKind.KeyBias, layer, biased);
            v[t] = Biased(Project(WeightKind.Value, layer, spec.KeyValueHeads * size, input[t]), WeightKind.ValueBias, layer, biased);
            if (spec.QueryKeyNorm)
            {
                q[t] = ByHead(q[t], size, h => Normed(Norm.Rms, h, WeightKind.QueryNorm, default, layer));
                k[t] = ByHead(k[t], size, h => Normed(Norm.Rms, h, WeightKind.KeyNorm, default, layer));
            }
            if (_layers[layer].Position == Position.Rotary)
            {
                var (position, rotaryBase) = (t, spec.Window > 0 ? constants.WindowRotaryBase ?? constants.RotaryBase : constants.RotaryBase);
                q[t] = ByHead(q[t], size, h => Rotated(h, position, rotaryBase));
                k[t] = ByHead(k[t], size, h => Rotated(h, position, rotaryBase));
            }
        }
        var result = new double[input.Length][];
        for (var t = 0; t < input.Length; t++)
        {
            var heads = new double[spec.Heads * size];
            for (var head = 0; head < spec.Heads; head++)
            {
                var shared = head / (spec.Heads / spec.KeyValueHeads);
                var first = spec.Window > 0 ? Math.Max(0, t + 1 - spec.Window) : 0;
                var scores = new double[t + 1 - first];
                for (var j = first; j <= t; j++)
                {
                    for (var d = 0; d < size; d++)
                        scores[j - first] += q[t][(head * size) + d] * k[j][(shared * size) + d];
                    scores[j - first] *= constants.ScoreFactor ?? (1 / Math.Sqrt(size));
                    if (spec.SoftCap)
                        scores[j - first] = constants.AttentionSoftCap * Math.Tanh(scores[j - first] / constants.AttentionSoftCap);
                }
                var most = scores.Max();
                var shares = scores.Select(s => Math.Exp(s - most)).ToArray();
                var total = shares.Sum();
                for (var j = first; j <= t; j++)
                {
                    for (var d = 0; d < size; d++)
                        heads[(head * size) + d] += shares[j - first] / total * v[j][(shared * size) + d];
                }
            }
            result[t] = Biased(Project(WeightKind.Output, layer, model.Hidden, heads), WeightKind.OutputBias, layer, spec.Bias == ProjectionBias.All);
        }
        return result;
    }

    private double[] FeedForward(double[] input, int layer)
    {
        var block = (DenseFeedForwardSpec)_layers[layer].FeedForward[0];
        var up = Biased(Project(WeightKind.Up, layer, block.Intermediate, input), WeightKind.UpBias, layer, block.Bias);
        var gate = block.Activation.IsGated() ? Biased(Project(WeightKind.Gate, layer, block.Intermediate, input), WeightKind.GateBias, layer, block.Bias) : up;
        var activated = block.Activation switch
        {
            Activation.SwiGlu => gate.Select((g, i) => g / (1 + Math.Exp(-g)) * up[i]),
            Activation.GeGlu => gate.Select((g, i) => Gelu(g) * up[i]),
            Activation.Gelu => up.Select(Gelu),
            _ => up.Select(x => Math.Max(x, 0)),
        };
        return Biased(Project(WeightKind.Down, layer, model.Hidden, [.. activated]), WeightKind.DownBias, layer, block.Bias);
    }

    private static double Gelu(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    private static double[] Rotated(double[] head, int position, double rotaryBase)
    {
        var (half, turned) = (head.Length / 2, (double[])head.Clone());
        for (var i = 0; i < half; i++)
        {
            var angle = position * Math.Pow(rotaryBase, -2.0 * i / head.Length);
            turned[i] = (head[i] * Math.Cos(angle)) - (head[i + half] * Math.Sin(angle));
            turned[i + half] = (head[i + half] * Math.Cos(angle)) + (head[i] * Math.Sin(angle));
        }
        return turned;
    }

    private double[] Normed(Norm norm, double[] row, WeightKind weight, WeightKind bias, int layer)
    {
        var mean = norm == Norm.Layer ? row.Average() : 0;
        var scale = 1 / Math.Sqrt(row.Average(x => (x - mean) * (x - mean)) + constants.NormEpsilon);
        var factors = Row(weight, layer, 0, row.Length);
        double[] result = [.. row.Select((x, i) => (x - mean) * scale * factors[i])];
        return norm == Norm.Layer ? Sum(result, Row(bias, layer, 0, row.Length)) : result;
    }

    private static double[] ByHead(double[] row, int size, Func<double[], double[]> change) => [.. row.Chunk(size).SelectMany(change)];

    private double[] Biased(double[] row, WeightKind bias, int layer, bool has) => has ? Sum(row, Row(bias, layer, 0, row.Length)) : row;

    private static double[] Sum(double[] left, double[] right) => [.. left.Select((x, i) => x + right[i])];

    private double[] Project(WeightKind kind, int layer, int outputs, double[] input)
    {
        var result = new double[outputs];
        for (var o = 0; o < outputs; o++)
        {
            var row = Row(kind, layer, o, input.Length);
            for (var i = 0; i < row.Length; i++)
                result[o] += row[i] * input[i];
        }
        return result;
    }

    private double[] Row(WeightKind kind, int layer, int row, int width)
    {
        var values = new float[width];
        weights.Read(new WeightName(kind, layer), row, 0, values);
        return [.. values.Select(v => (double)(format == Precision.Bf16 ? Bfloat16.Round(v) : v))];
    }
}
