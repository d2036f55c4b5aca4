using System;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Sizes of what one rank holds, by arithmetic on the specification. Weights and KV-cache are exactly those of the
/// lowered and sharded graph; a test holds both together.</summary>
internal sealed class RankSizes(DeploymentSpec deployment)
{
    /// <summary>bf16: norms, biases and everything computed.</summary>
    private const long ValueBytes = 2;

    private readonly ModelSpec _model = deployment.Model;
    private readonly int _ranks = deployment.TensorParallel;
    private readonly long _hidden = deployment.Model.Hidden;

    public long WeightBytes()
    {
        checked
        {
            var vocabulary = (long)TensorSizes.VocabularyPart(_model.Vocabulary, _ranks);
            var matrix = deployment.Weights.Bytes(vocabulary * _hidden);
            var total = matrix + (ValueBytes * ((_model.LearnedPositions * _hidden) + _model.FinalNorm.ParameterCount(_model.Hidden)));
            if (!_model.TiedEmbeddings)
                total += matrix;
            if (_model.HeadBias)
                total += ValueBytes * vocabulary;
            foreach (var group in _model.Stack)
                total += group.Repeat * group.Pattern.Sum(LayerWeightBytes);
            return total;
        }
    }

    /// <summary>Bytes of weights that live in the host's memory: the layers' matrices, where those do.</summary>
    public long HostWeightBytes() => deployment.Offload.Weights == Home.Device
        ? 0
        : checked(_model.Stack.Sum(group => group.Repeat * group.Pattern.Sum(LayerMatrixBytes)));

    /// <summary>Bytes of the KV-cache of all batches.</summary>
    public long KeyValueBytes(StepSpec step)
    {
        checked
        {
            var total = 0L;
            foreach (var group in _model.Stack)
                total += group.Repeat * group.Pattern.Sum(layer => LayerKeyValueBytes(layer, step));
            if (deployment.KeyValueBlockTokens > 0)
                total += ModelRules.Kinds(_model).Sum(kind => Blocks(step).TableBytes(Attention(kind.Layer).Window));
            return deployment.Offload.BatchesPerLayer * total;
        }
    }

    /// <summary>Most bytes that the arena of a step's values takes: the most that live at one time, and one more value of the residual
    /// stream's width, two where layers are of several kinds. Values of one name have one place in all layers, so that places are taken in a
    /// circle, and a circle may need more places than values ever live at a time.</summary>
    public long ActivationBound(StepSpec step)
    {
        checked
        {
            var rows = (long)step.Batch * step.NewTokens;
            // Embedding, scaled and positioned; the head's input, its part of the logits, and all of them, twice where they are capped.
            var vocabulary = (long)TensorSizes.VocabularyPart(_model.Vocabulary, _ranks);
            var most = Math.Max(3 * rows * _hidden, Math.Max((rows + step.Batch) * _hidden, step.Batch * (_hidden + (vocabulary * (_ranks + 2)))));
            foreach (var group in _model.Stack)
            {
                foreach (var layer in group.Pattern)
                    most = Math.Max(most, rows * MostPerToken(layer));
            }
            var isOneKind = _model.Stack.Count == 1 && _model.Stack[0].Pattern.Count == 1;
            return ((most + ((isOneKind ? 1 : 2) * rows * _hidden)) * ValueBytes) + (16 * PlanMemory.Alignment) + TransferBound(step, isOneKind) + MatrixBound() + BatchBound(step);
        }
    }

    /// <summary>Bytes of what is copied between host and device, with every entry of a KV-cache in host memory transferred: those of two
    /// neighbouring layers, and what goes back while the layer, or the next one, goes on. Places of several kinds of layers are taken in a
    /// circle, and need one more.</summary>
    private long TransferBound(StepSpec step, bool isOneKind)
    {
        if (deployment.Offload.KeyValues == Home.Device)
            return 0;
        checked
        {
            long most = 0, mostFresh = 0;
            foreach (var layer in _model.Stack.SelectMany(g => g.Pattern))
            {
                var fresh = (step.ContextIsTotal ? step.Batch : step.NewTokens)
                    * TensorSizes.KeyValueBytes(step, Partition.KeyValueHeadsOf(Attention(layer).KeyValueHeads, _ranks), Attention(layer).HeadSize, deployment.KeyValues);
                mostFresh = Math.Max(mostFresh, fresh);
                most = Math.Max(most, LayerKeyValueBytes(layer, step) - fresh);
            }
            // A prompt's activations stay until they are stored.
            var stored = step is PrefillSpec ? (long)step.Batch * step.NewTokens * _hidden * ValueBytes : 0;
            var batches = deployment.Offload.BatchesPerLayer;
            if (batches == 1)
                return ((isOneKind ? 2 : 3) * most) + ((isOneKind ? 1 : 2) * (mostFresh + stored)) + (8 * PlanMemory.Alignment);
            // Of an odd number of batches the last has buffers of its own, between those of the even and the odd ones.
            var turns = (batches % 2 == 0 ? 2 : 3) + (isOneKind ? 0 : 1);
            return (turns * (most + mostFresh + stored)) + (8 * batches * PlanMemory.Alignment);
        }
    }

    /// <summary>Bytes that several batches take beyond one: the residual streams of those that wait, and what each gives.</summary>
    private long BatchBound(StepSpec step)
    {
        checked
        {
            var waiting = deployment.Offload.BatchesPerLayer - 1L;
            var logits = (long)step.Batch * TensorSizes.VocabularyPart(_model.Vocabulary, _ranks) * _ranks;
            return waiting * (((((long)step.Batch * step.NewTokens * _hidden) + logits) * ValueBytes) + (2 * PlanMemory.Alignment));
        }
    }

    /// <summary>Bytes of the matrices that are brought from the host: those of two neighbouring layers. Where layers are of several kinds, the places
    /// of one layer's may be of no use to the next, which counts as one layer more.</summary>
    private long MatrixBound()
    {
        if (deployment.Offload.Weights == Home.Device)
            return 0;
        var sizes = _model.Stack.SelectMany(g => g.Pattern).Select(LayerMatrixBytes).Distinct().ToList();
        return checked(((sizes.Count == 1 ? 2 : 3) * sizes.Max()) + (16 * PlanMemory.Alignment));
    }

    /// <summary>Most elements per token that live at one time in a layer, over what it does one after the other.</summary>
    private long MostPerToken(LayerSpec layer)
    {
        checked
        {
            var attention = Attention(layer);
            long query = attention.Heads / _ranks * attention.HeadSize;
            long keyValue = Partition.KeyValueHeadsOf(attention.KeyValueHeads, _ranks) * attention.HeadSize;
            var projected = query + (2 * keyValue);
            // Queries and keys normed, then rotated; the values stay in the projection until they are stored.
            var rotated = (query + keyValue) * ((attention.QueryKeyNorm ? 1 : 0) + (layer.Position == Position.Rotary ? 1 : 0));
            // The residual stream; in a parallel layer also the input that both blocks read, or what the first one gave.
            var kept = layer.Parallel ? 2 * _hidden : _hidden;
            var most = Math.Max((2 * _hidden) + projected, kept + projected + rotated + query);
            // A block's result before and after its reduction, its norm, or its addition; a kernel that does all three writes two values.
            var written = deployment.CollectiveFusion == CollectiveFusion.Norm ? 2 * _hidden : _hidden;
            most = Math.Max(most, kept + _hidden + Math.Max(written, query));
            foreach (var block in layer.FeedForward.OfType<DenseFeedForwardSpec>())
            {
                var width = (long)block.Intermediate / _ranks;
                var up = block.Activation.IsGated() ? 2 : 1;
                most = Math.Max(most, kept + (up * width) + Math.Max(_hidden, width));
                most = Math.Max(most, kept + _hidden + width);
            }
            return most;
        }
    }

    public long LayerWeightBytes(LayerSpec layer)
    {
        checked
        {
            var attention = Attention(layer);
            var vectors = layer.NormCount * layer.Norm.ParameterCount(_model.Hidden);
            vectors += attention.Bias == ProjectionBias.None ? 0 : ProjectedWidth(attention);
            vectors += attention.Bias == ProjectionBias.All ? _hidden : 0;
            vectors += attention.QueryKeyNorm ? 2L * attention.HeadSize : 0;
            foreach (var block in layer.FeedForward.OfType<DenseFeedForwardSpec>())
                vectors += block.Bias ? ((block.Activation.IsGated() ? 2 : 1) * ((long)block.Intermediate / _ranks)) + _hidden : 0;
            return LayerMatrixBytes(layer) + (ValueBytes * vectors);
        }
    }

    /// <summary>Bytes of a layer's matrices: of its weights, what lives on the host where they are to.</summary>
    public long LayerMatrixBytes(LayerSpec layer)
    {
        checked
        {
            var attention = Attention(layer);
            var query = (long)attention.Heads / _ranks * attention.HeadSize;
            var bytes = deployment.Weights.Bytes(ProjectedWidth(attention) * _hidden) + deployment.Weights.Bytes(query * _hidden);
            foreach (var block in layer.FeedForward.OfType<DenseFeedForwardSpec>())
            {
                var width = (long)block.Intermediate / _ranks;
                bytes += deployment.Weights.Bytes((block.Activation.IsGated() ? 2 : 1) * width * _hidden) + deployment.Weights.Bytes(width * _hidden);
            }
            return bytes;
        }
    }

    /// <summary>Elements of a token's queries, keys and values on one rank.</summary>
    private long ProjectedWidth(MultiHeadAttentionSpec attention) =>
        new Partition.ByHeads(attention.Heads, attention.KeyValueHeads, 2, attention.HeadSize).WidthOf(_ranks);

    private long LayerKeyValueBytes(LayerSpec layer, StepSpec step)
    {
        checked
        {
            var attention = Attention(layer);
            var heads = Partition.KeyValueHeadsOf(attention.KeyValueHeads, _ranks);
            if (deployment.KeyValueBlockTokens > 0)
                return Blocks(step).Count(attention.Window) * deployment.KeyValueBlockTokens * TensorSizes.KeyValueBytesOfToken(heads, attention.HeadSize, deployment.KeyValues);
            long fresh = step.ContextIsTotal ? step.Batch : step.NewTokens;
            long cached = step.MaxContext;
            if (attention.Window > 0)
                cached = Math.Min(cached, (attention.Window - 1L) * (step.ContextIsTotal ? step.Batch : 1));
            return (cached + fresh) * TensorSizes.KeyValueBytes(step, heads, attention.HeadSize, deployment.KeyValues);
        }
    }

    private KeyValueBlocks Blocks(StepSpec step) => new(step, deployment.KeyValueBlockTokens);

    private static MultiHeadAttentionSpec Attention(LayerSpec layer) => layer.Attention as MultiHeadAttentionSpec
        ?? throw new NotSupportedException($"attention of kind {layer.Attention.GetType().Name} has no sizes");
}
