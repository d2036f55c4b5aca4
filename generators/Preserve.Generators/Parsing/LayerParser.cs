using System.Linq;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Reads one kind of layer from its type.</summary>
internal static class LayerParser
{
    /// <param name="layer">The type.</param>
    /// <param name="reference">Where the model names it.</param>
    /// <param name="hidden">Width of the residual stream, or null where that is unknown.</param>
    /// <param name="sink">Takes the faults.</param>
    /// <returns>The layer, or null where an attribute is missing.</returns>
    public static ParsedLayer? Parse(INamedTypeSymbol layer, FaultSite reference, int? hidden, IFaultSink sink)
    {
        var of = $"layer '{layer.Name}'";
        if (Find<LayerAttribute>() is not { } declaration)
        {
            sink.Report(Descriptors.LayerDeclaration, reference, $"'{layer.Name}' is not a layer: it does not carry [Layer]");
            return null;
        }
        var attention = Find<AttentionAttribute>();
        var feedForward = Find<FeedForwardAttribute>();
        if (attention is null)
            sink.Report(Descriptors.LayerDeclaration, declaration.Site(), $"{of} has no attention: it does not carry [Attention]");
        if (feedForward is null)
            sink.Report(Descriptors.LayerDeclaration, declaration.Site(), $"{of} has no feed-forward block: it does not carry [FeedForward]");
        if (attention is null || feedForward is null)
            return null;

        var spec = new LayerSpec(
            layer.Name,
            declaration.Choice<Norm>(nameof(LayerAttribute.Norm)),
            declaration.Bool(nameof(LayerAttribute.PostNorm)),
            declaration.Choice<Position>(nameof(LayerAttribute.Position)),
            declaration.Bool(nameof(LayerAttribute.Parallel)),
            ParseAttention(attention, of, hidden, sink),
            new FeedForwardSpec[]
            {
                new DenseFeedForwardSpec(
                    feedForward.Required(nameof(FeedForwardAttribute.Intermediate), standIn: 1),
                    feedForward.Choice<Activation>(nameof(FeedForwardAttribute.Activation)),
                    feedForward.Bool(nameof(FeedForwardAttribute.Bias))),
            },
            declaration.Bool(nameof(LayerAttribute.SeparateNorms)));
        return new ParsedLayer(spec, declaration, attention, feedForward);

        DeclaredAttribute? Find<T>() =>
            layer.AttributesOf<T>().Select(a => new DeclaredAttribute(a, layer, reference, of, sink)).FirstOrDefault();
    }

    private static MultiHeadAttentionSpec ParseAttention(DeclaredAttribute attention, string of, int? hidden, IFaultSink sink)
    {
        const int standIn = 1;
        var given = attention.Has(nameof(AttentionAttribute.Heads));
        var heads = attention.Required(nameof(AttentionAttribute.Heads), standIn);
        return new MultiHeadAttentionSpec(
            heads,
            attention.Int(nameof(AttentionAttribute.KeyValueHeads), unset: given ? heads : standIn),
            attention.Has(nameof(AttentionAttribute.HeadSize)) ? attention.Int(nameof(AttentionAttribute.HeadSize), standIn) : DefaultHeadSize(),
            attention.Choice<ProjectionBias>(nameof(AttentionAttribute.Bias)),
            attention.Bool(nameof(AttentionAttribute.QueryKeyNorm)),
            attention.Optional(nameof(AttentionAttribute.Window), SpecificationLimits.Window),
            attention.Bool(nameof(AttentionAttribute.SoftCap)));

        int DefaultHeadSize()
        {
            // Without sound values to divide there is nothing to say of their quotient: they have faults of their own.
            if (hidden is not { } width || !given || !SpecificationLimits.Heads.Contains(heads))
                return standIn;
            if (width % heads == 0)
                return width / heads;
            sink.Report(Descriptors.LayerDeclaration, attention.Site(), $"HeadSize of {of} is not given, and its {heads} query heads do not divide the model's width of {width}");
            return standIn;
        }
    }
}

/// <summary>A layer and the attributes that it was read from.</summary>
internal sealed record ParsedLayer(LayerSpec Spec, DeclaredAttribute Layer, DeclaredAttribute Attention, DeclaredAttribute FeedForward)
{
    /// <summary>Where a value of the layer stands.</summary>
    public FaultSite SiteOf(string property) => property switch
    {
        nameof(FeedForwardAttribute.Intermediate) or nameof(FeedForwardAttribute.Activation) => FeedForward.Site(property),
        nameof(LayerAttribute.Norm) or nameof(LayerAttribute.Position) or nameof(LayerAttribute.SeparateNorms) or nameof(LayerSpec.Name) => Layer.Site(property),
        _ => Attention.Site(property),
    };
}
