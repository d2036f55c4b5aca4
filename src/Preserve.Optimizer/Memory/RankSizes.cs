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

    public long KeyValueBytes(StepSpec step)
    {
        checked
        {
            var total = 0L;
            foreach (var group in _model.Stack)
                total += group.Repeat * group.Pattern.Sum(layer => LayerKeyValueBytes(layer, step));
            return total;
        }
    }

    /// <summary>The bytes of all values of all kinds of layer, each in a place of its own: the arena never needs more.</summary>
    public long ActivationBound(StepSpec step)
    {
        checked
        {
            var rows = (long)step.Batch * step.NewTokens;
            // Before and behind the layers: h, its summand, the embedding before scale and position; the head's input and logits.
            var vocabulary = (long)TensorSizes.VocabularyPart(_model.Vocabulary, _ranks);
            var elements = (rows * 5 * _hidden) + (step.Batch * (_hidden + (vocabulary * (_ranks + 2))));
            var values = 8L;
            foreach (var layer in _model.Stack.SelectMany(g => g.Pattern).Distinct())
            {
                var attention = Attention(layer);
                var heads = new Partition.ByHeads(attention.Heads, attention.KeyValueHeads, 2, attention.HeadSize);
                // Two inputs, two outputs, as many summands and normed outputs, the sums between; projections, normed and rotated; attended.
                elements += rows * ((11 * _hidden) + (4L * heads.WidthOf(_ranks)) + (3L * layer.FeedForward.OfType<DenseFeedForwardSpec>().Sum(f => (long)f.Intermediate / _ranks)));
                values += 20;
            }
            return (elements * ValueBytes) + (values * PlanMemory.Alignment);
        }
    }

    private long LayerWeightBytes(LayerSpec layer)
    {
        checked
        {
            var attention = Attention(layer);
            var all = (long)new Partition.ByHeads(attention.Heads, attention.KeyValueHeads, 2, attention.HeadSize).WidthOf(_ranks);
            var query = (long)attention.Heads / _ranks * attention.HeadSize;
            var vectors = layer.NormCount * layer.Norm.ParameterCount(_model.Hidden);
            vectors += attention.Bias == ProjectionBias.None ? 0 : all;
            vectors += attention.Bias == ProjectionBias.All ? _hidden : 0;
            vectors += attention.QueryKeyNorm ? 2L * attention.HeadSize : 0;
            var bytes = deployment.Weights.Bytes(all * _hidden) + deployment.Weights.Bytes(query * _hidden);
            foreach (var block in layer.FeedForward.OfType<DenseFeedForwardSpec>())
            {
                var width = (long)block.Intermediate / _ranks;
                var up = block.Activation.IsGated() ? 2 : 1;
                bytes += deployment.Weights.Bytes(up * width * _hidden) + deployment.Weights.Bytes(width * _hidden);
                vectors += block.Bias ? (up * width) + _hidden : 0;
            }
            return bytes + (ValueBytes * vectors);
        }
    }

    private long LayerKeyValueBytes(LayerSpec layer, StepSpec step)
    {
        checked
        {
            var attention = Attention(layer);
            var heads = Partition.KeyValueHeadsOf(attention.KeyValueHeads, _ranks);
            long fresh = step.ContextIsTotal ? step.Batch : step.NewTokens;
            long cached = step.MaxContext;
            if (attention.Window > 0)
                cached = Math.Min(cached, (attention.Window - 1L) * (step.ContextIsTotal ? step.Batch : 1));
            return (cached + fresh) * TensorSizes.KeyValueBytes(step, heads, attention.HeadSize, deployment.KeyValues);
        }
    }

    private static MultiHeadAttentionSpec Attention(LayerSpec layer) => layer.Attention as MultiHeadAttentionSpec
        ?? throw new NotSupportedException($"attention of kind {layer.Attention.GetType().Name} has no sizes");
}
