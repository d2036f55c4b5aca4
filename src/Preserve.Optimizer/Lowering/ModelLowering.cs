using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Lowers a model to the operators of one rank that would do everything alone. Of a run of layers it lowers only
/// the first repeats, so that the graph does not grow with the depth of the stack.</summary>
internal sealed class ModelLowering
{
    private readonly DeploymentSpec _deployment;
    private readonly ModelSpec _model;
    private readonly Graph _graph;
    private readonly Dictionary<LayerSpec, string> _prefixes;
    private readonly int _rows;
    private readonly int _batches;
    private int _batch;

    private ModelLowering(DeploymentSpec deployment, StepSpec step)
    {
        _deployment = deployment;
        _model = deployment.Model;
        _graph = new Graph(step, ranks: 1) { Targets = deployment.PrefetchTargets };
        _prefixes = NameKinds(_model);
        _rows = checked(step.Batch * step.NewTokens);
        _batches = deployment.Offload.BatchesPerLayer;
    }

    /// <summary>Lowers one step.</summary>
    /// <param name="deployment">The deployment; its degree of tensor parallelism is left to the passes.</param>
    /// <param name="step">The step.</param>
    /// <param name="maxRepeats">Most repeats of a run to lower, 1 or more.</param>
    public static Graph Lower(DeploymentSpec deployment, StepSpec step, int maxRepeats)
    {
        var lowering = new ModelLowering(deployment, step);
        lowering.OfEachBatch(lowering.LowerEmbedding);
        lowering.LowerStack(maxRepeats);
        lowering.OfEachBatch(lowering.LowerHead);
        return lowering._graph;
    }

    private void OfEachBatch(Action lower)
    {
        for (_batch = 0; _batch < _batches; _batch++)
            lower();
    }

    private void LowerEmbedding()
    {
        var embedding = Matrix("embedding", _deployment.Weights, perLayer: false);
        var extra = _model.LearnedPositions > 0 || _model.EmbeddingScale;
        var embedded = extra ? Value("embedded", perLayer: false) : Value("h", perLayer: true);
        var embeddedAt = extra ? LayerIndex.None : LayerIndex.Of(0);
        Append("embed", -1, new EmbedOperation(_rows, _model.Hidden), new Partition.ByVocabulary(_model.Vocabulary),
            [At(embedding, LayerIndex.None)], [At(embedded, embeddedAt)]);

        var current = At(embedded, embeddedAt);
        if (_model.EmbeddingScale)
        {
            var scaled = _model.LearnedPositions > 0
                ? At(Value("embedding_scaled", perLayer: false), LayerIndex.None)
                : At(Value("h", perLayer: true), LayerIndex.Of(0));
            Append("embed_scale", -1, new ElementwiseOperation(ElementwiseFunction.Scale, _rows, _model.Hidden), Partition.None, [current], [scaled]);
            current = scaled;
        }
        if (_model.LearnedPositions > 0)
        {
            var table = Vector("position_weight", perLayer: false);
            table.Units = Precision.Bf16.Bytes((long)_model.LearnedPositions * _model.Hidden);
            Append("embed_position", -1, new ElementwiseOperation(ElementwiseFunction.Position, _rows, _model.Hidden), Partition.None,
                [current, At(table, LayerIndex.None)], [At(Value("h", perLayer: true), LayerIndex.Of(0))]);
        }
    }

    private void LowerStack(int maxRepeats)
    {
        var layer = 0;
        foreach (var group in _model.Stack)
        {
            // What is brought from the host for neighbouring layers lies in two buffers in turn: a repeat then has an even number of layers. Where
            // there are several batches, caches have buffers in turn of batches.
            var offload = _deployment.Offload;
            var inTurn = (offload.Weights == Home.Host || (offload.KeyValues == Home.Host && _batches == 1)) && group.Pattern.Count % 2 == 1 ? 2 : 1;
            Lower(group, inTurn, group.Repeat / inTurn);
            Lower(group, 1, group.Repeat % inTurn);
        }

        void Lower(LayerGroup group, int patterns, int repeats)
        {
            if (repeats == 0)
                return;
            var run = new LayerRun(layer, patterns * group.Pattern.Count, Math.Min(repeats, maxRepeats), repeats);
            _graph.Runs.Add(run);
            for (; layer < run.EndLayer; layer++)
            {
                var spec = group.Pattern[(layer - run.FirstLayer) % group.Pattern.Count];
                for (var batch = 0; batch < _batches; batch++)
                    new LayerLowering(_graph, _deployment, spec, _prefixes[spec], layer, batch).Lower();
            }
        }
    }

    private void LowerHead()
    {
        // In a prefill only the last token of each sequence asks for logits.
        var rows = _graph.Step.Batch;
        var last = At(Value("h", perLayer: true), LayerIndex.Of(_graph.LayerCount));
        var normed = Value("head_in", perLayer: false);
        Append("final_norm", -1, new NormOperation(_model.FinalNorm, rows, _model.Hidden), Partition.None,
            [last, At(Vector("final_norm_weight", perLayer: false), LayerIndex.None)], [At(normed, LayerIndex.None)]);

        var weight = _model.TiedEmbeddings ? _graph["embedding"] : Matrix("head_weight", _deployment.Weights, perLayer: false);
        var reads = new List<GraphReference> { At(normed, LayerIndex.None), At(weight, LayerIndex.None) };
        if (_model.HeadBias)
            reads.Add(At(Vector("head_bias", perLayer: false), LayerIndex.None));
        var vocabulary = new Partition.ByVocabulary(_model.Vocabulary);
        var logits = Value("logits", perLayer: false);
        var product = _model.LogitSoftCap ? Value("logits_raw", perLayer: false) : logits;
        Append("head", -1, new MatMulOperation(rows, _model.Vocabulary, _model.Hidden, _deployment.Weights, _deployment.Activations), vocabulary,
            reads, [At(product, LayerIndex.None)]);
        if (_model.LogitSoftCap)
        {
            Append("head_soft_cap", -1, new ElementwiseOperation(ElementwiseFunction.SoftCap, rows, _model.Vocabulary), vocabulary,
                [At(product, LayerIndex.None)], [At(logits, LayerIndex.None)]);
        }
    }

    private void Append(string label, int layer, Operation operation, Partition partition, List<GraphReference> reads, List<GraphReference> writes)
    {
        var op = new GraphOperator(label, layer, operation) { Batch = _batch, Partition = partition, Reads = reads, Writes = writes };
        TensorSizes.Set(_graph, op);
        _graph.Operators.Add(op);
    }

    private GraphTensor Matrix(string name, Precision format, bool perLayer) =>
        _graph.Find(name) ?? _graph.Add(new GraphTensor(name, TensorRole.Weight, perLayer, format) { IsMatrix = true });

    private GraphTensor Vector(string name, bool perLayer) => _graph.Find(name) ?? _graph.Add(new GraphTensor(name, TensorRole.Weight, perLayer, Precision.Bf16));

    private GraphTensor Value(string name, bool perLayer) => Named(name + BatchNames.Suffix(_batch, _batches), perLayer);

    private GraphTensor Named(string name, bool perLayer) =>
        _graph.Find(name) ?? _graph.Add(new GraphTensor(name, TensorRole.Value, perLayer, Precision.Bf16));

    private static GraphReference At(GraphTensor tensor, LayerIndex layer) => new(tensor, layer);

    /// <summary>A model with one kind of layer names its tensors plainly; with several, each name begins with its kind's.</summary>
    public static Dictionary<LayerSpec, string> NameKinds(ModelSpec model)
    {
        var prefixes = new Dictionary<LayerSpec, string>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var group in model.Stack)
        {
            foreach (var layer in group.Pattern)
            {
                if (prefixes.ContainsKey(layer))
                    continue;
                var name = layer.Name;
                for (var n = 2; !taken.Add(name); n++)
                    name = $"{layer.Name}_{n}";
                prefixes.Add(layer, name + "/");
            }
        }
        if (prefixes.Count == 1)
        {
            foreach (var group in model.Stack)
                prefixes[group.Pattern[0]] = "";
        }
        return prefixes;
    }
}
