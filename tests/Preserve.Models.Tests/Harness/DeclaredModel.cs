using System.Reflection;

namespace Preserve.Models.Tests;

/// <summary>Reads a model from the attributes of its type, as the generator does from its source.</summary>
internal static class DeclaredModel
{
    public static ModelSpec Of(Type type)
    {
        var model = type.GetCustomAttribute<ModelAttribute>().ShouldNotBeNull();
        var stack = type.GetCustomAttributes<LayersAttribute>().Select(g => new LayerGroup(g.Pattern.Select(p => Layer(p, model.Hidden)).ToArray(), g.Repeat));
        var groups = LayerGroups.Canonical(stack);
        return new ModelSpec(
            model.Name ?? type.Name, model.Hidden, model.Vocabulary, model.MaxPositions, model.TiedEmbeddings, model.LearnedPositions,
            model.EmbeddingScale, groups[^1].Pattern[^1].Norm, model.LogitSoftCap, model.HeadBias, groups);
    }

    private static LayerSpec Layer(Type type, int hidden)
    {
        var layer = type.GetCustomAttribute<LayerAttribute>().ShouldNotBeNull();
        var attention = type.GetCustomAttribute<AttentionAttribute>().ShouldNotBeNull();
        var feedForward = type.GetCustomAttribute<FeedForwardAttribute>().ShouldNotBeNull();
        return new LayerSpec(
            type.Name, layer.Norm, layer.PostNorm, layer.Position, layer.Parallel,
            new MultiHeadAttentionSpec(
                attention.Heads, attention.KeyValueHeads == 0 ? attention.Heads : attention.KeyValueHeads,
                attention.HeadSize == 0 ? hidden / attention.Heads : attention.HeadSize,
                attention.Bias, attention.QueryKeyNorm, attention.Window, attention.SoftCap),
            new FeedForwardSpec[] { new DenseFeedForwardSpec(feedForward.Intermediate, feedForward.Activation, feedForward.Bias) },
            layer.SeparateNorms);
    }
}
