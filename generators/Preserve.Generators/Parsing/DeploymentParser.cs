using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>Reads a deployment, with its model, from its type: the one way from symbols to plain values, for the generator and
/// the analyzers alike.</summary>
internal static class DeploymentParser
{
    // Stands where there is no model; no rule looks at it then.
    private static readonly ParsedModel NoModel = new(
        new ModelSpec("", 0, 0, 0, false, 0, false, default, false, false, default), [new DeploymentPlace(nameof(DeploymentSpec.Model))]);

    /// <summary>Reads and checks a deployment, but for its device and memory.</summary>
    /// <param name="type">A type that carries <c>[Deployment]</c>.</param>
    /// <param name="sink">Takes the faults.</param>
    /// <param name="mayFit">Whether a deployment may fit its device, for a mend to choose by; null where no mend is asked for.</param>
    /// <returns>The declaration, or null where it has faults.</returns>
    public static DeploymentDeclaration? Parse(INamedTypeSymbol type, IFaultSink sink, Func<DeploymentSpec, bool>? mayFit = null)
    {
        var place = TypeParser.Parse(type, sink);
        var spec = ParseSpec(type, sink, mayFit);
        return place is null || spec is null ? null : new DeploymentDeclaration(place, spec);
    }

    /// <summary>Reads and checks what is to be planned, whether or not something can be generated for its type.</summary>
    /// <param name="type">A type that carries <c>[Deployment]</c>.</param>
    /// <param name="sink">Takes the faults.</param>
    /// <param name="mayFit">Whether a deployment may fit its device, for a mend to choose by; null where no mend is asked for.</param>
    /// <returns>The deployment, or null where it has faults.</returns>
    public static DeploymentSpec? ParseSpec(INamedTypeSymbol type, IFaultSink sink, Func<DeploymentSpec, bool>? mayFit = null)
    {
        var counted = new CountedSink(sink);
        var attributes = type.AttributesOf<DeploymentAttribute>().ToList();
        var declaration = new DeclaredAttribute(attributes[0], type, outer: null, $"deployment '{type.Name}'", counted);
        // One of the attribute, with its arguments: the compiler says so otherwise.
        if (attributes.Count > 1 || !declaration.Bound)
        {
            sink.ReportedElsewhere();
            return null;
        }
        var spec = ParseSpec(type, declaration, ParseModel(declaration, counted), counted, mayFit);
        return counted.Any ? null : spec;
    }

    /// <summary>Reports steps of a type that does not carry <c>[Deployment]</c>: nobody would plan them.</summary>
    public static void RefuseSteps(INamedTypeSymbol type, IFaultSink sink)
    {
        if (type.GetAttributes().FirstOrDefault(a => a.AttributeClass is { } c && StepParser.IsStep(c)) is { } step)
            sink.Report(Descriptors.NotDeclared, new FaultSite(type, step, null, 0, null), type.Name);
    }

    private static ParsedModel ParseModel(DeclaredAttribute declaration, CountedSink sink)
    {
        var site = declaration.Site("model");
        var argument = declaration.Positional(0);
        if (argument.Kind == TypedConstantKind.Error || argument.Value is IErrorTypeSymbol)
        {
            sink.ReportedElsewhere();
            return NoModel;
        }
        if (argument.Value is not INamedTypeSymbol model || !model.Carries<ModelAttribute>())
        {
            sink.Report(Descriptors.NotAModel, site, (argument.Value as ITypeSymbol)?.ToDisplayString() ?? "null");
            return NoModel;
        }
        var faults = new CountedSink(sink.ForModel(model));
        var parsed = ModelParser.Parse(model, site, faults);
        if (faults.Any)
            sink.ReportedElsewhere();
        return parsed;
    }

    private static DeploymentSpec ParseSpec(INamedTypeSymbol type, DeclaredAttribute declaration, ParsedModel model, CountedSink sink, Func<DeploymentSpec, bool>? mayFit)
    {
        if (declaration.Positional(1).Kind == TypedConstantKind.Error)
            sink.ReportedElsewhere();
        var steps = ParseSteps(type, sink);
        var spec = new DeploymentSpec(
            model.Spec,
            declaration.Positional(1).Value as string ?? "",
            declaration.Int(nameof(DeploymentAttribute.TensorParallel), unset: 1),
            declaration.Choice<Precision>(nameof(DeploymentAttribute.Weights)),
            declaration.Choice<Precision>(nameof(DeploymentAttribute.Activations)),
            declaration.Choice<Precision>(nameof(DeploymentAttribute.KeyValues)),
            declaration.Choice(nameof(DeploymentAttribute.Prefetch), unset: PrefetchPolicy.Best),
            declaration.Bool(nameof(DeploymentAttribute.SeparateProjections)),
            steps.Select(s => s.Step).ToArray(),
            declaration.Bool(nameof(DeploymentAttribute.SequenceParallel)),
            declaration.Choice<CollectiveFusion>(nameof(DeploymentAttribute.CollectiveFusion)))
        {
            PrefetchTargets = declaration.Choice<PrefetchTargets>(nameof(DeploymentAttribute.PrefetchTargets)),
            KeyValueBlockTokens = declaration.Optional(nameof(DeploymentAttribute.KeyValueBlockTokens), SpecificationLimits.KeyValueBlockTokens),
            Offload = new OffloadSpec(
                declaration.Choice<Home>(nameof(DeploymentAttribute.KeyValueHome)),
                declaration.Choice<Home>(nameof(DeploymentAttribute.WeightHome)),
                declaration.Choice<Objective>(nameof(DeploymentAttribute.Objective)),
                declaration.Int(nameof(DeploymentAttribute.BatchesPerLayer), unset: 1),
                declaration.Choice<Precision>(nameof(DeploymentAttribute.StoredActivations)),
                declaration.Choice(nameof(DeploymentAttribute.Recompute), unset: RecomputePolicy.Best)),
        };

        SpecificationPlace[] unsound =
        [
            .. model.Unsound, .. declaration.Unknown.Select(p => new DeploymentPlace(p)),
            .. steps.SelectMany((s, i) => StepParser.UnknownOf(s.Declaration, s.Step, i)),
        ];
        // Every layer may be at fault with the degree, and one degree mends them all.
        var nearest = new Lazy<int?>(() => DeploymentRules.NearestDegree(spec, unsound, mayFit));
        var faults = DeploymentRules.Check(spec, unsound);
        foreach (var fault in faults)
            sink.Report(Descriptors.Of(fault), SiteOf(fault.Place) with { Mend = () => MendOf(fault) }, fault.Message);
        var atFault = new HashSet<SpecificationPlace>(unsound.Concat(faults.Select(f => f.Place)));
        foreach (var refusal in PlanningRefusal.All(spec).Where(r => !atFault.Contains(new DeploymentPlace(r.Option))))
            sink.Report(Descriptors.NotPlanned, declaration.Site(refusal.Option), type.Name, refusal.Reason);
        if (!sink.Any)
        {
            foreach (var advice in DeploymentAdvice.Of(spec))
                sink.Advise(Descriptors.Of(advice), SiteOf(advice.Place) with { Mend = () => MendOfAdvice(advice) }, advice.Message);
        }
        return spec;

        Mend? MendOf(SpecificationFault fault) => fault switch
        {
            DegreeFault when nearest.Value is { } degree => Mend.By((nameof(DeploymentAttribute.TensorParallel), degree.ToString(CultureInfo.InvariantCulture))),
            OptionFault option => WithoutOptions(option, spec),
            BeyondTableFault beyond => Shortened(beyond.Place, beyond.Positions),
            _ => null,
        };

        Mend? MendOfAdvice(SpecificationAdvice advice) => advice is BeyondPositionsAdvice beyond ? Shortened(beyond.Place, beyond.Positions) : null;

        Mend? Shortened(SpecificationPlace place, int tokens) =>
            place is StepPlace step ? StepParser.Shortened(steps[step.Step].Declaration, spec.Steps[step.Step], tokens) : null;

        FaultSite SiteOf(SpecificationPlace place) =>
            place is StepPlace step ? StepParser.SiteOf(steps[step.Step].Declaration, spec.Steps[step.Step], step.Property) : declaration.Site(place.Property);
    }

    private static List<(StepSpec Step, DeclaredAttribute Declaration)> ParseSteps(INamedTypeSymbol type, CountedSink sink)
    {
        var attributes = type.GetAttributes().Where(a => a.AttributeClass is { } c && StepParser.IsStep(c)).ToList();
        if (SymbolQueries.OnAnotherPart(attributes) is { } other)
            sink.Report(Descriptors.Steps, StepParser.DeclarationOf(other, type, sink).Site(), "the steps stand in several partial declarations, which have no order");
        var steps = new List<(StepSpec Step, DeclaredAttribute Declaration)>();
        foreach (var attribute in attributes)
        {
            var declaration = StepParser.DeclarationOf(attribute, type, sink);
            foreach (var step in StepParser.Parse(attribute, declaration, sink))
            {
                // Of several generations on one prompt, the first brings the prefill.
                if (!(StepParser.IsGeneration(attribute) && step is PrefillSpec && steps.Exists(s => s.Step == step)))
                    steps.Add((step, declaration));
            }
        }
        return steps;
    }

    /// <summary>Leaves an option out, and those that do nothing without it.</summary>
    private static Mend? WithoutOptions(OptionFault fault, DeploymentSpec spec)
    {
        var before = OptionFaultsOf(spec);
        var left = new List<(string Argument, string? Value)>();
        for (var next = fault; next is not null; next = OptionFaultsOf(spec).Except(before).FirstOrDefault())
        {
            var option = next.Place.Property;
            if (left.Exists(l => l.Argument == option) || Without(spec, option) is not { } less)
                return null;
            spec = less;
            left.Add((option, null));
        }
        return Mend.By([.. left]);
    }

    private static List<OptionFault> OptionFaultsOf(DeploymentSpec spec) => DeploymentRules.Check(spec, modelIsSound: false).OfType<OptionFault>().ToList();

    /// <summary>The deployment with an option as it is where nothing is said of it; null where that would be another deployment.</summary>
    private static DeploymentSpec? Without(DeploymentSpec spec, string option) => option switch
    {
        nameof(DeploymentAttribute.SequenceParallel) => spec with { SequenceParallel = false },
        nameof(DeploymentAttribute.CollectiveFusion) => spec with { CollectiveFusion = CollectiveFusion.None },
        nameof(DeploymentAttribute.Objective) => spec with { Offload = spec.Offload with { Objective = OffloadSpec.None.Objective } },
        nameof(DeploymentAttribute.BatchesPerLayer) => spec with { Offload = spec.Offload with { BatchesPerLayer = OffloadSpec.None.BatchesPerLayer } },
        nameof(DeploymentAttribute.StoredActivations) => spec with { Offload = spec.Offload with { StoredActivations = OffloadSpec.None.StoredActivations } },
        _ => null,
    };
}
