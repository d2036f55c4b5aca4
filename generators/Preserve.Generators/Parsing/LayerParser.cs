using System.Collections.Generic;
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
    /// <returns>The layer, with what is not known of it where an attribute is missing; null where nothing says that the type is meant as one.</returns>
    public static ParsedLayer? Parse(INamedTypeSymbol layer, FaultSite reference, int? hidden, IFaultSink sink)
    {
        var of = $"layer '{layer.Name}'";
        var (declaration, attention, feedForward) = (Find<LayerAttribute>(), Find<AttentionAttribute>(), Find<FeedForwardAttribute>());
        if (declaration is null)
            sink.Report(Descriptors.LayerDeclaration, reference, $"'{layer.Name}' is not a layer: it does not carry [Layer]");
        if (declaration is null && attention is null && feedForward is null)
            return null;
        if (attention is null)
            sink.Report(Descriptors.LayerDeclaration, declaration?.Site() ?? reference, $"{of} has no attention: it does not carry [Attention]");
        if (feedForward is null)
            sink.Report(Descriptors.LayerDeclaration, declaration?.Site() ?? reference, $"{of} has no feed-forward block: it does not carry [FeedForward]");

        var spec = new LayerSpec(
            layer.Name,
            declaration?.Choice<Norm>(nameof(LayerAttribute.Norm)) ?? default,
            declaration?.Bool(nameof(LayerAttribute.PostNorm)) ?? false,
            declaration?.Choice<Position>(nameof(LayerAttribute.Position)) ?? default,
            declaration?.Bool(nameof(LayerAttribute.Parallel)) ?? false,
            attention is null ? new MultiHeadAttentionSpec(1, 1, 1, default, false, 0, false) : ParseAttention(attention, of, hidden, sink),
            new FeedForwardSpec[]
            {
                feedForward is null ? new DenseFeedForwardSpec(1, default, false) : new DenseFeedForwardSpec(
                    feedForward.Required(nameof(FeedForwardAttribute.Intermediate), standIn: 1),
                    feedForward.Choice<Activation>(nameof(FeedForwardAttribute.Activation)),
                    feedForward.Bool(nameof(FeedForwardAttribute.Bias))),
            },
            declaration?.Bool(nameof(LayerAttribute.SeparateNorms)) ?? false);
        return new ParsedLayer(spec, reference, declaration, attention, feedForward);

        DeclaredAttribute? Find<T>() =>
            layer.AttributesOf<T>().Select(a => new DeclaredAttribute(a, layer, reference, of, sink)).FirstOrDefault();
    }

    private static MultiHeadAttentionSpec ParseAttention(DeclaredAttribute attention, string of, int? hidden, IFaultSink sink)
    {
        const int standIn = 1;
        var heads = attention.Required(nameof(AttentionAttribute.Heads), standIn);
        var headsAreKnown = attention.Knows(nameof(AttentionAttribute.Heads)) && SpecificationLimits.Heads.Contains(heads);
        return new MultiHeadAttentionSpec(
            heads,
            attention.Lacks(nameof(AttentionAttribute.KeyValueHeads)) ? DefaultKeyValueHeads() : attention.Int(nameof(AttentionAttribute.KeyValueHeads), standIn),
            attention.Lacks(nameof(AttentionAttribute.HeadSize)) ? DefaultHeadSize() : attention.Int(nameof(AttentionAttribute.HeadSize), standIn),
            attention.Choice<ProjectionBias>(nameof(AttentionAttribute.Bias)),
            attention.Bool(nameof(AttentionAttribute.QueryKeyNorm)),
            attention.Optional(nameof(AttentionAttribute.Window), SpecificationLimits.Window),
            attention.Bool(nameof(AttentionAttribute.SoftCap)));

        int DefaultKeyValueHeads()
        {
            if (headsAreKnown)
                return heads;
            attention.Doubt(nameof(AttentionAttribute.KeyValueHeads));
            return standIn;
        }

        int DefaultHeadSize()
        {
            // Without sound values to divide there is nothing to say of their quotient: they have faults of their own.
            if (hidden is { } sound && headsAreKnown && sound % heads == 0)
                return sound / heads;
            attention.Doubt(nameof(AttentionAttribute.HeadSize));
            if (hidden is not { } width || !headsAreKnown)
                return standIn;
            // It may be the number of heads that is wrong.
            attention.Doubt(nameof(AttentionAttribute.Heads), nameof(AttentionAttribute.KeyValueHeads));
            sink.Report(Descriptors.LayerDeclaration, attention.Site(), $"HeadSize of {of} is not given, and its {heads} query heads do not divide the model's width of {width}");
            return standIn;
        }
    }
}

/// <summary>A layer, and the attributes that it was read from, as far as they are there.</summary>
internal sealed record ParsedLayer(LayerSpec Spec, FaultSite Reference, DeclaredAttribute? Layer, DeclaredAttribute? Attention, DeclaredAttribute? FeedForward)
{
    /// <summary>What comes of an attribute that is missing.</summary>
    private static readonly string[] OfLayer = [nameof(LayerAttribute.Norm), nameof(LayerAttribute.Position)];
    private static readonly string[] OfAttention = [nameof(AttentionAttribute.Heads), nameof(AttentionAttribute.KeyValueHeads), nameof(AttentionAttribute.HeadSize)];
    private static readonly string[] OfFeedForward = [nameof(FeedForwardAttribute.Intermediate)];

    /// <summary>Values that are not known; what is wrong with them is reported.</summary>
    public IEnumerable<string> Unknown => (Layer?.Unknown ?? OfLayer).Concat(Attention?.Unknown ?? OfAttention).Concat(FeedForward?.Unknown ?? OfFeedForward);

    /// <summary>Where a value of the layer stands.</summary>
    public FaultSite SiteOf(string property)
    {
        var attribute = property switch
        {
            nameof(FeedForwardAttribute.Intermediate) or nameof(FeedForwardAttribute.Activation) => FeedForward,
            nameof(LayerAttribute.Norm) or nameof(LayerAttribute.Position) or nameof(LayerAttribute.SeparateNorms) or nameof(LayerSpec.Name) => Layer,
            _ => Attention,
        };
        return attribute?.Site(property) ?? Reference;
    }
}
