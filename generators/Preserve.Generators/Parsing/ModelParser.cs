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
    private bool _hasAllLayers = true;

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
    /// <returns>The model in canonical form, or what is known of it where it has faults.</returns>
    public static ParsedModel Parse(INamedTypeSymbol type, FaultSite? outer, IFaultSink sink) =>
        new ModelParser(type, type.AttributesOf<ModelAttribute>().First(), outer, sink).Parse();

    private ParsedModel Parse()
    {
        var hidden = _declaration.Required(nameof(ModelAttribute.Hidden), standIn: 1);
        var usableHidden = _declaration.Knows(nameof(ModelAttribute.Hidden)) && SpecificationLimits.Hidden.Contains(hidden) ? hidden : (int?)null;
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
        var unknown = Unknown().ToList();
        var faults = ModelRules.Check(spec, unknown);
        foreach (var fault in faults)
            _sink.Report(Descriptors.Of(fault), SiteOf(fault.Place), fault.Message);
        return unknown.Count + faults.Count == 0
            ? new ParsedModel(spec with { Stack = LayerGroups.Canonical(spec.Stack) }, [])
            : new ParsedModel(spec, [.. unknown, .. faults.Select(f => f.Place)]);
    }

    /// <summary>The values that are not known, and what is wrong with them is reported.</summary>
    private IEnumerable<SpecificationPlace> Unknown()
    {
        if (!_hasAllLayers)
            yield return new ModelPlace(nameof(ModelSpec.Stack));
        foreach (var property in _declaration.Unknown)
            yield return new ModelPlace(property);
        for (var g = 0; g < _groups.Count; g++)
        {
            foreach (var property in _groups[g].Declaration.Unknown)
                yield return new GroupPlace(g, property);
            for (var i = 0; i < _groups[g].Layers.Count; i++)
            {
                foreach (var property in _groups[g].Layers[i].Unknown)
                    yield return new LayerPlace(g, i, property);
            }
        }
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
            var group = new LayerGroup(pattern.Select(l => l.Spec).ToArray(), declaration.Int(nameof(LayersAttribute.Repeat), unset: 1));
            _groups.Add((group, declaration, pattern));
        }
    }

    /// <summary>The layers of a run, but for what is none.</summary>
    private List<ParsedLayer> ParsePattern(DeclaredAttribute declaration, int? hidden, Dictionary<ISymbol, ParsedLayer?> layers)
    {
        if (!declaration.Bound || declaration.Positional(0).Kind == TypedConstantKind.Error)
        {
            _hasAllLayers = false;
            _sink.ReportedElsewhere();
            return [];
        }
        var types = declaration.Positional(0);
        if (types.IsNull || types.Values.IsEmpty)
        {
            Refuse(declaration.Site(), $"[Layers] of {_of} names no layer");
            return [];
        }
        var pattern = new List<ParsedLayer>();
        for (var i = 0; i < types.Values.Length; i++)
        {
            if (ParseLayer(types.Values[i], declaration.Site("pattern", i), hidden, layers) is { } layer)
                pattern.Add(layer);
        }
        _hasAllLayers &= pattern.Count == types.Values.Length;
        return pattern;
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
        _hasAllLayers = false;
        _sink.Report(Descriptors.LayerDeclaration, site, sentence);
    }

    /// <summary>The norm of the last layer. One that is not defined is that layer's fault alone.</summary>
    private Norm LastNorm() =>
        _groups.Count > 0 && _groups[_groups.Count - 1].Layers.LastOrDefault()?.Spec.Norm is (Norm.Rms or Norm.Layer) and var norm ? norm : default;

    private FaultSite SiteOf(SpecificationPlace place) => place switch
    {
        LayerPlace layer => _groups[layer.Group].Layers[layer.Index].SiteOf(layer.Property),
        GroupPlace group => _groups[group.Group].Declaration.Site(group.Property),
        _ => _declaration.Site(place.Property),
    };
}

/// <summary>A model as it was read.</summary>
/// <param name="Spec">The model; an unsound value has a stand-in.</param>
/// <param name="Unsound">The values that are at fault, or not known; none of a sound model.</param>
internal sealed record ParsedModel(ModelSpec Spec, IReadOnlyList<SpecificationPlace> Unsound);
