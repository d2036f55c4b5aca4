using System.Linq;

namespace Preserve.Generators;

/// <summary>A deployment as text on one line, for a report of a fault.</summary>
internal static class SpecificationText
{
    public static string Of(DeploymentSpec spec)
    {
        var groups = spec.Model.Stack.Select(g => $"{g.Repeat} x [{string.Join(", ", g.Pattern.Select(Of))}]");
        var model = spec.Model;
        return $"{model.Name} on {spec.TensorParallel} x {spec.Device}: {string.Join("; ", spec.Steps)}; "
            + $"weights {spec.Weights}, activations {spec.Activations}, KV-cache {spec.KeyValues} in blocks of {spec.KeyValueBlockTokens}, prefetch {spec.Prefetch} of {spec.PrefetchTargets}, separate projections {spec.SeparateProjections}, sequence parallel {spec.SequenceParallel}, collective fusion {spec.CollectiveFusion}; "
            + $"KV-cache in {spec.Offload.KeyValues} memory, weights in {spec.Offload.Weights} memory, objective {spec.Offload.Objective}, batches per layer {spec.Offload.BatchesPerLayer}, stored activations {spec.Offload.StoredActivations}, recompute {spec.Offload.Recompute}; "
            + $"hidden {model.Hidden}, vocabulary {model.Vocabulary}, positions {model.MaxPositions}, learned positions {model.LearnedPositions}, tied {model.TiedEmbeddings}, "
            + $"embedding scale {model.EmbeddingScale}, final norm {model.FinalNorm}, logit soft cap {model.LogitSoftCap}, head bias {model.HeadBias}; layers {string.Join(", ", groups)}";
    }

    private static string Of(LayerSpec layer) =>
        $"{layer.Name}: norm {layer.Norm}, post-norm {layer.PostNorm}, position {layer.Position}, parallel {layer.Parallel}, separate norms {layer.SeparateNorms}, {layer.Attention}, {string.Join(", ", layer.FeedForward)}";
}
