using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Reads a model from its type.</summary>
internal sealed class ModelParser
{
    private readonly INamedTypeSymbol _type;
    private readonly DeclaredAttribute _declaration;
    private readonly FaultSite? _outer;
    private readonly IFaultSink _sink;
    private readonly string _of;
    private readonly List<(LayerGroup Group, DeclaredAttribute Declaration, List<ParsedLayer> Layers)> _groups = [];
    private bool _complete = true;

    private ModelParser(INamedTypeSymbol type, AttributeData attribute, FaultSite? outer, IFaultSink sink)
    {
        _type = type;
        _outer = outer;
        _sink = sink;
        _of = $"model '{type.Name}'";
        _declaration = new DeclaredAttribute(attribute, type, outer, _of, sink);
    }

    /// <summary>Reads and checks a model.</summary>
    /// <param name="type">A type that carries <c>[Model]</c>.</param>
    /// <param name="outer">Where faults are marked if the type stands in another assembly.</param>
    /// <param name="sink">Takes the faults.</param>
    /// <returns>The model in canonical form, or null where it has faults.</returns>
    public static ModelSpec? Parse(INamedTypeSymbol type, FaultSite? outer, IFaultSink sink)
    {
        var counted = new CountedSink(sink);
        var attribute = type.AttributesOf<ModelAttribute>().First();
        var spec = new ModelParser(type, attribute, outer, counted).Parse();
        return counted.Any ? null : spec;
    }

    private ModelSpec? Parse()
    {
        var hidden = _declaration.Required(nameof(ModelAttribute.Hidden), standIn: 1);
        var usableHidden = _declaration.Has(nameof(ModelAttribute.Hidden)) && SpecificationLimits.Hidden.Contains(hidden) ? hidden : (int?)null;
        ParseStack(usableHidden);
        var learned = _declaration.Optional(nameof(ModelAttribute.LearnedPositions), SpecificationLimits.LearnedPositions);
        var spec = new ModelSpec(
            _declaration.Text(nameof(ModelAttribute.Name), unset: _type.Name),
            hidden,
            _declaration.Required(nameof(ModelAttribute.Vocabulary), standIn: 1),
            _declaration.Int(nameof(ModelAttribute.MaxPositions), unset: ModelDefaults.MaxPositions),
            _declaration.Bool(nameof(ModelAttribute.TiedEmbeddings)),
            learned,
            _declaration.Bool(nameof(ModelAttribute.EmbeddingScale)),
            _declaration.Choice(nameof(ModelAttribute.FinalNorm), unset: LastNorm()),
            _declaration.Bool(nameof(ModelAttribute.LogitSoftCap)),
            _declaration.Bool(nameof(ModelAttribute.HeadBias)),
            _groups.Select(g => g.Group).ToArray());
        // A stack with a hole breaks rules that the declaration, once mended, may keep.
        if (!_complete)
            return null;

        var faults = ModelRules.Check(spec);
        foreach (var fault in faults)
            _sink.Report(Descriptors.Of(fault), SiteOf(fault.Place), fault.Message);
        return faults.Count > 0 ? null : spec with { Stack = LayerGroups.Canonical(spec.Stack) };
    }

    private void ParseStack(int? hidden)
    {
        var attributes = _type.AttributesOf<LayersAttribute>().ToList();
        if (attributes.Count == 0)
            Refuse(_declaration.Site(), $"{_of} has no layers: it does not carry [Layers]");
        if (SymbolQueries.OnAnotherPart(attributes) is { } other)
            Refuse(new FaultSite(_type, other, null, 0, _outer), $"[Layers] of {_of} stand in several partial declarations, which have no order");

        var layers = new Dictionary<ISymbol, ParsedLayer?>(SymbolEqualityComparer.Default);
        foreach (var attribute in attributes)
        {
            var declaration = new DeclaredAttribute(attribute, _type, _outer, $"the layers of {_of}", _sink);
            var pattern = ParsePattern(declaration, hidden, layers);
            if (pattern is null)
            {
                _complete = false;
                continue;
            }
            var group = new LayerGroup(pattern.Select(l => l.Spec).ToArray(), declaration.Int(nameof(LayersAttribute.Repeat), unset: 1));
            _groups.Add((group, declaration, pattern));
        }
    }

    private List<ParsedLayer>? ParsePattern(DeclaredAttribute declaration, int? hidden, Dictionary<ISymbol, ParsedLayer?> layers)
    {
        if (!declaration.Bound || declaration.Positional(0).Kind == TypedConstantKind.Error)
        {
            _sink.ReportedElsewhere();
            return null;
        }
        var types = declaration.Positional(0);
        if (types.IsNull || types.Values.IsEmpty)
        {
            Refuse(declaration.Site(), $"[Layers] of {_of} names no layer");
            return null;
        }
        var pattern = new List<ParsedLayer>();
        for (var i = 0; i < types.Values.Length; i++)
        {
            if (ParseLayer(types.Values[i], declaration.Site("pattern", i), hidden, layers) is { } layer)
                pattern.Add(layer);
        }
        return pattern.Count == types.Values.Length ? pattern : null;
    }

    private ParsedLayer? ParseLayer(TypedConstant type, FaultSite reference, int? hidden, Dictionary<ISymbol, ParsedLayer?> layers)
    {
        if (type.Kind == TypedConstantKind.Error || type.Value is IErrorTypeSymbol)
        {
            _sink.ReportedElsewhere();
            return null;
        }
        if (type.Value is not INamedTypeSymbol layer)
        {
            _sink.Report(Descriptors.LayerDeclaration, reference, $"'{(type.Value as ITypeSymbol)?.ToDisplayString() ?? "null"}' is not a layer: it does not carry [Layer]");
            return null;
        }
        if (!layers.TryGetValue(layer, out var parsed))
        {
            parsed = LayerParser.Parse(layer, reference, hidden, _sink);
            layers.Add(layer, parsed);
        }
        return parsed;
    }

    private void Refuse(FaultSite site, string sentence)
    {
        _complete = false;
        _sink.Report(Descriptors.LayerDeclaration, site, sentence);
    }

    /// <summary>The norm of the last layer. One that is not defined is that layer's fault alone.</summary>
    private Norm LastNorm() =>
        _groups.Count > 0 && _groups[_groups.Count - 1].Layers.Last().Spec.Norm is (Norm.Rms or Norm.Layer) and var norm ? norm : default;

    private FaultSite SiteOf(SpecificationPlace place) => place switch
    {
        LayerPlace layer => _groups[layer.Group].Layers[layer.Index].SiteOf(layer.Property),
        GroupPlace group => _groups[group.Group].Declaration.Site(group.Property),
        _ => _declaration.Site(place.Property),
    };
}
