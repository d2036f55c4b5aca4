using System.Globalization;

namespace Preserve.Cpu;

/// <summary>What a plan says of the model that it was made for. Kernels take the shapes of operators from the plan, and windows, heads and weights from the
/// backend's model, so that a plan of another model would give numbers of neither.</summary>
/// <remarks>A plan is that of one rank, and its text does not tell all models apart: not windows that reach beyond its tokens, KV heads that several ranks
/// share, or vocabularies of which a rank has as many rows. Those have the same plan, and it computes each of them.</remarks>
internal sealed class PlannedModel
{
    private const string RotaryPosition = $"{nameof(Position)}.{nameof(Position.Rotary)}";
    private const string AttentionBias = $"{nameof(LayerSpec.Attention)}.{nameof(MultiHeadAttentionSpec.Bias)}";
    private const string BlockBias = $"{nameof(LayerSpec.FeedForward)}.{nameof(DenseFeedForwardSpec.Bias)}";

    private readonly ExecutionPlan _plan;
    private readonly ModelSpec _model;
    private readonly Dictionary<string, TensorDeclaration> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Property, int Layer), object> _said = [];

    private PlannedModel(ExecutionPlan plan, ModelSpec model)
    {
        (_plan, _model) = (plan, model);
        foreach (var tensor in plan.Tensors)
        {
            if (!_tensors.TryAdd(tensor.Name, tensor))
                throw new ArgumentException($"'{tensor.Name}' is declared twice");
        }
        Read(plan.Body, 0);
    }

    /// <summary>Holds what a plan says of its model against a model.</summary>
    /// <param name="plan">The plan, in formats that are computed.</param>
    /// <param name="model">The model, of as many layers as the plan.</param>
    /// <exception cref="ArgumentException">They differ, a tensor is declared twice, or an instruction has a size below 1 or a layer that is not of the model; the message says in what.</exception>
    public static void Check(ExecutionPlan plan, ModelSpec model)
    {
        var planned = new PlannedModel(plan, model);
        foreach (var (property, layer, value) in planned.OfTheModel())
        {
            var said = planned._said.GetValueOrDefault((property, layer), Unsaid(value));
            if (said.Equals(value))
                continue;
            var of = layer < 0 ? "" : $" of layer {layer}";
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"the plan is of another {model.Name} than the backend's: {property}{of} is {said} in the plan, and {value} in the model"));
        }
    }

    /// <summary>What the plan would say if it were the model's.</summary>
    private IEnumerable<(string Property, int Layer, object Value)> OfTheModel()
    {
        yield return (nameof(_model.Hidden), -1, (long)_model.Hidden);
        yield return (nameof(_model.Vocabulary), -1, OnARank(((_model.Vocabulary - 1) / _plan.Ranks) + 1));
        yield return (nameof(_model.TiedEmbeddings), -1, _model.TiedEmbeddings);
        yield return (nameof(_model.LearnedPositions), -1, (long)_model.LearnedPositions);
        yield return (nameof(_model.EmbeddingScale), -1, _model.EmbeddingScale);
        yield return (nameof(_model.FinalNorm), -1, _model.FinalNorm);
        yield return (nameof(_model.LogitSoftCap), -1, _model.LogitSoftCap);
        yield return (nameof(_model.HeadBias), -1, _model.HeadBias);
        var layers = _model.LayerSpecs();
        for (var layer = 0; layer < layers.Length; layer++)
        {
            foreach (var (property, value) in Of(layers[layer]))
                yield return (property, layer, value);
        }
    }

    private IEnumerable<(string Property, object Value)> Of(LayerSpec layer)
    {
        var attention = layer.HeadedAttention();
        yield return (nameof(attention.Heads), (long)attention.Heads);
        yield return (nameof(attention.KeyValueHeads), _plan.Ranks % attention.KeyValueHeads == 0 ? KeyValueHeads(1) : Text(attention.KeyValueHeads));
        yield return (nameof(attention.HeadSize), (long)attention.HeadSize);
        yield return (nameof(attention.Window), Window(Pairs(attention.Window)));
        yield return (nameof(attention.SoftCap), attention.SoftCap);
        yield return (nameof(attention.QueryKeyNorm), attention.QueryKeyNorm);
        yield return (AttentionBias, attention.Bias);
        yield return (RotaryPosition, layer.Position == Position.Rotary);
        yield return (nameof(layer.Norm), layer.Norm);
        yield return (nameof(layer.PostNorm), layer.PostNorm);
        yield return (nameof(layer.Parallel), layer.Parallel);
        yield return (nameof(layer.SeparateNorms), layer.SeparateNorms || !layer.Parallel);
        var block = layer.DenseBlock();
        yield return (nameof(block.Intermediate), (long)block.Intermediate);
        yield return (nameof(block.Activation), block.Activation);
        yield return (BlockBias, block.Bias);
    }

    /// <summary>What a plan means that does not say a property.</summary>
    private static object Unsaid(object value) => value switch
    {
        bool => false,
        long => 0L,
        ProjectionBias => ProjectionBias.None,
        _ => "not there",
    };

    private void Read(EquatableArray<PlanNode> body, int repeatLayer)
    {
        foreach (var node in body)
        {
            if (node is Instruction instruction)
            {
                Read(instruction, repeatLayer);
                continue;
            }
            var repeat = (Repeat)node;
            for (var i = 0; i < repeat.Count; i++)
                Read(repeat.Body, repeat.FirstLayer + (i * repeat.Stride));
        }
    }

    private void Read(Instruction instruction, int repeatLayer)
    {
        if (Sizes(instruction.Operation).Any(s => s < 1))
            throw new ArgumentException($"'{instruction.Label}' has a size below 1");
        try
        {
            foreach (var reference in instruction.Reads.Concat(instruction.Writes))
                ReadReference(instruction, reference, reference.Layer.Resolve(repeatLayer));
            ReadOperation(instruction, repeatLayer);
        }
        catch (OverflowException)
        {
            throw new ArgumentException($"'{instruction.Label}' has a size that 64 bits do not hold");
        }
    }

    private void ReadOperation(Instruction instruction, int repeatLayer)
    {
        switch (instruction.Operation)
        {
            case EmbedOperation o:
                Say(nameof(_model.Hidden), -1, (long)o.Width);
                break;
            case AttentionOperation o:
                var layer = LayerOf(instruction, repeatLayer);
                Say(nameof(MultiHeadAttentionSpec.Heads), layer, (long)o.Heads * _plan.Ranks);
                Say(nameof(MultiHeadAttentionSpec.KeyValueHeads), layer, KeyValueHeads(o.KeyValueHeads));
                Say(nameof(MultiHeadAttentionSpec.HeadSize), layer, (long)o.HeadSize);
                Say(nameof(MultiHeadAttentionSpec.Window), layer, Window(o.Pairs.At(_plan.Step.MaxContext)));
                Say(nameof(MultiHeadAttentionSpec.SoftCap), layer, o.SoftCap);
                // Blocks one after the other have a value between them.
                _said.TryAdd((nameof(LayerSpec.Parallel), layer), true);
                break;
            case NormOperation o:
                ReadNorms(instruction, repeatLayer, o.Norm);
                break;
            case CollectiveOperation { Norm: { } o }:
                ReadNorms(instruction, repeatLayer, o.Norm);
                break;
            case ElementwiseOperation { Function: ElementwiseFunction.Rotary }:
                Say(RotaryPosition, LayerOf(instruction, repeatLayer), true);
                break;
            case ElementwiseOperation { Function: ElementwiseFunction.Scale }:
                Say(nameof(_model.EmbeddingScale), -1, true);
                break;
            case ElementwiseOperation { Function: ElementwiseFunction.SoftCap }:
                Say(nameof(_model.LogitSoftCap), -1, true);
                break;
            case ElementwiseOperation o when ActivationOf(o.Function) is { } activation:
                Say(nameof(DenseFeedForwardSpec.Intermediate), LayerOf(instruction, repeatLayer), (long)o.Width * _plan.Ranks);
                Say(nameof(DenseFeedForwardSpec.Activation), LayerOf(instruction, repeatLayer), activation);
                break;
        }
    }

    /// <summary>Reads what the name of a tensor says: that the model has such a weight, or such a value.</summary>
    private void ReadReference(Instruction instruction, TensorReference reference, int layer)
    {
        // What is not declared is refused where it is looked for.
        if (!_tensors.TryGetValue(reference.Tensor, out var tensor))
            return;
        if (tensor.Role != TensorRole.Value && (tensor.PerLayer ? layer < 0 || layer >= _plan.Layers : layer != -1))
            throw new ArgumentException($"'{instruction.Label}' names '{tensor.Name}' of layer {layer}, and the model has {_plan.Layers} layers");
        switch (BaseName(tensor.Name))
        {
            case "embedding":
                Say(nameof(_model.Vocabulary), -1, OnARank(RowsOf(tensor)));
                _said.TryAdd((nameof(_model.TiedEmbeddings), -1), true);
                break;
            case "head_weight":
                Say(nameof(_model.TiedEmbeddings), -1, false);
                break;
            case "head_bias":
                Say(nameof(_model.HeadBias), -1, true);
                break;
            case "position_weight":
                Say(nameof(_model.LearnedPositions), -1, RowsOf(tensor));
                break;
            case "k_norm_weight":
                Say(nameof(MultiHeadAttentionSpec.QueryKeyNorm), layer, true);
                break;
            case "qkv_bias" or "q_bias":
                _said.TryAdd((AttentionBias, layer), ProjectionBias.QueryKeyValue);
                break;
            case "out_bias":
                Say(AttentionBias, layer, ProjectionBias.All);
                break;
            case "down_bias":
                Say(BlockBias, layer, true);
                break;
            case "attn_post_norm_weight":
                Say(nameof(LayerSpec.PostNorm), layer, true);
                break;
            case "mlp_norm_weight":
                Say(nameof(LayerSpec.SeparateNorms), layer, true);
                break;
            case "h_mid":
                Say(nameof(LayerSpec.Parallel), layer, false);
                break;
        }
    }

    /// <summary>Reads which norm the kernel's weights are those of. Heads have but one kind.</summary>
    private void ReadNorms(Instruction instruction, int repeatLayer, Norm norm)
    {
        foreach (var read in instruction.Reads)
        {
            switch (BaseName(read.Tensor))
            {
                case "final_norm_weight":
                    Say(nameof(_model.FinalNorm), -1, norm);
                    break;
                case "attn_norm_weight" or "attn_post_norm_weight" or "mlp_norm_weight" or "mlp_post_norm_weight":
                    Say(nameof(LayerSpec.Norm), read.Layer.Resolve(repeatLayer), norm);
                    break;
            }
        }
    }

    /// <summary>A tensor's name without that of its kind of layer and its batch.</summary>
    private static string BaseName(string tensor) => BatchNames.Without(tensor[(tensor.LastIndexOf('/') + 1)..]);

    private void Say(string property, int layer, object value) => _said[(property, layer)] = value;

    /// <summary>The layer whose values an instruction computes.</summary>
    private int LayerOf(Instruction instruction, int repeatLayer)
    {
        var layer = instruction.Writes.Count > 0 ? instruction.Writes[0].Layer.Resolve(repeatLayer) : -1;
        return layer >= 0 && layer < _plan.Layers
            ? layer
            : throw new ArgumentException($"'{instruction.Label}' computes layer {layer}, and the model has {_plan.Layers} layers");
    }

    private long RowsOf(TensorDeclaration weight) => weight.Bytes.At(_plan.Step.MaxContext) / weight.Format.Bytes(_model.Hidden);

    /// <summary>KV heads by those of one rank, of which several ranks may have the same.</summary>
    private string KeyValueHeads(int onARank) => onARank == 1 && _plan.Ranks > 1 ? $"a divisor of {Text(_plan.Ranks)}" : Text((long)onARank * _plan.Ranks);

    private static string OnARank(long rows) => $"{Text(rows)} on a rank";

    private static string Window(long pairs) => $"one of {Text(pairs)} query-key pairs";

    private static string Text(long count) => count.ToString(CultureInfo.InvariantCulture);

    /// <summary>Query-key pairs per head over all sequences at the longest context: a token attends to itself and to what is before it in its window.</summary>
    private long Pairs(int window)
    {
        var step = _plan.Step;
        var most = window > 0 ? window : (long)step.MaxContext + step.NewTokens;
        // Each token attends to one more than that before it, until the window is full.
        var growing = Math.Clamp(most - step.MaxContext, 0, step.NewTokens);
        return step.Batch * ((growing * step.MaxContext) + (growing * (growing + 1) / 2) + ((step.NewTokens - growing) * most));
    }

    private static Activation? ActivationOf(ElementwiseFunction function) => function switch
    {
        ElementwiseFunction.SwiGlu => Activation.SwiGlu,
        ElementwiseFunction.GeGlu => Activation.GeGlu,
        ElementwiseFunction.Gelu => Activation.Gelu,
        ElementwiseFunction.Relu => Activation.Relu,
        _ => null,
    };

    private static int[] Sizes(Operation operation) => operation switch
    {
        EmbedOperation o => [o.Rows, o.Width],
        MatMulOperation o => [o.Rows, o.Columns, o.Depth],
        AttentionOperation o => [o.Sequences, o.NewTokens, o.Heads, o.KeyValueHeads, o.HeadSize],
        RecomputeOperation o => [o.Sequences, o.KeyValueHeads, o.HeadSize, o.Depth],
        NormOperation o => [o.Rows, o.Width],
        ElementwiseOperation o => [o.Rows, o.Width],
        CollectiveOperation { MatMul: { } o } => Sizes(o),
        CollectiveOperation { Norm: { } o } => [o.Rows, o.Width],
        _ => [],
    };
}
