using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Reads one declared step, or a generation's two.</summary>
internal static class StepParser
{
    public static bool IsStep(INamedTypeSymbol attribute) =>
        attribute.Is<DecodeAttribute>() || attribute.Is<PrefillAttribute>() || attribute.Is<GenerationAttribute>();

    public static bool IsGeneration(AttributeData attribute) => attribute.AttributeClass!.Is<GenerationAttribute>();

    public static DeclaredAttribute DeclarationOf(AttributeData attribute, INamedTypeSymbol type, IFaultSink sink) =>
        new(attribute, type, outer: null, IsGeneration(attribute) ? "the generation" : IsDecode(attribute) ? "the decode step" : "the prefill step", sink);

    /// <summary>The steps. Values that are missing have a stand-in, and a fault.</summary>
    public static IEnumerable<StepSpec> Parse(AttributeData attribute, DeclaredAttribute declaration, IFaultSink sink)
    {
        if (IsGeneration(attribute))
            return ParseGeneration(declaration);
        var batch = declaration.Required(nameof(DecodeAttribute.Batch), standIn: 1);
        return IsDecode(attribute)
            ? [ParseDecode(batch, declaration, sink)]
            : [new PrefillSpec(batch, declaration.Required(nameof(PrefillAttribute.Tokens), standIn: 1))];
    }

    private static DecodeSpec ParseDecode(int batch, DeclaredAttribute declaration, IFaultSink sink)
    {
        var each = declaration.Has(nameof(DecodeAttribute.Context));
        var total = declaration.Has(nameof(DecodeAttribute.CachedTokens));
        if (each && total)
            sink.Report(Descriptors.Steps, declaration.Site(nameof(DecodeAttribute.CachedTokens)), "the decode step gives both Context, of each sequence, and CachedTokens, of all together");
        if (each == total)
            declaration.Doubt(nameof(DecodeAttribute.Context), nameof(DecodeAttribute.CachedTokens));
        if (declaration.Lacks(nameof(DecodeAttribute.Context)) && declaration.Lacks(nameof(DecodeAttribute.CachedTokens)))
            sink.Report(Descriptors.Steps, declaration.Site(), "the decode step gives neither Context, of each sequence, nor CachedTokens, of all together");
        var prompt = declaration.Optional(nameof(DecodeAttribute.Prompt), SpecificationLimits.Context);
        // Of one that gives both, the rules look at what a step of known lengths needs.
        return total && !each
            ? new DecodeSpec(batch, declaration.Int(nameof(DecodeAttribute.CachedTokens), unset: batch), Total: true, prompt)
            : new DecodeSpec(batch, declaration.Int(nameof(DecodeAttribute.Context), unset: 1), Total: false, prompt);
    }

    /// <summary>A prefill and a decode step. The values are checked here, by their own names: the steps' are others.</summary>
    private static IEnumerable<StepSpec> ParseGeneration(DeclaredAttribute declaration)
    {
        var batch = declaration.Required(nameof(GenerationAttribute.Batch), SpecificationLimits.Batch);
        var prompt = declaration.Required(nameof(GenerationAttribute.Prompt), SpecificationLimits.Tokens);
        // The prefill gives the first token, and what the last one adds to the cache nobody reads.
        var most = SpecificationLimits.Context.Most - prompt + 2;
        var tokens = declaration.Required(nameof(GenerationAttribute.Tokens), SpecificationLimits.Generated with { Most = most });
        return [new PrefillSpec(batch, prompt), new DecodeSpec(batch, prompt + tokens - 2, Total: false, prompt)];
    }

    /// <summary>The values of a step that are not known. A generation's have other names, and the length of its decode step is made of both.</summary>
    public static IEnumerable<SpecificationPlace> UnknownOf(DeclaredAttribute declaration, StepSpec step, int index)
    {
        var names = declaration.Unknown;
        if (declaration.Is<GenerationAttribute>())
        {
            names = names.SelectMany(name => (name, step) switch
            {
                (nameof(GenerationAttribute.Batch), _) => new[] { name },
                (nameof(GenerationAttribute.Prompt), PrefillSpec) => [nameof(PrefillSpec.Tokens)],
                (nameof(GenerationAttribute.Prompt), _) => [nameof(DecodeSpec.Prompt), nameof(DecodeSpec.Context)],
                (_, PrefillSpec) => [],
                _ => [nameof(DecodeSpec.Context)],
            });
        }
        return names.Select(name => new StepPlace(index, name));
    }

    /// <summary>Where a value of a step stands. A prefill's tokens are a generation's prompt; its own tokens are those that it generates.</summary>
    public static FaultSite SiteOf(DeclaredAttribute declaration, StepSpec step, string property) =>
        declaration.Site(step is PrefillSpec && property == nameof(PrefillSpec.Tokens) && declaration.Is<GenerationAttribute>() ? nameof(GenerationAttribute.Prompt) : property);

    /// <summary>The argument with which no sequence of a step is longer than some tokens; null where none does that: a generation's prompt is not its own to shorten.</summary>
    public static Mend? Shortened(DeclaredAttribute declaration, StepSpec step, long tokens)
    {
        var (property, least, value) = (step, declaration.Is<GenerationAttribute>()) switch
        {
            (PrefillSpec, false) => (nameof(PrefillAttribute.Tokens), SpecificationLimits.Tokens.Least, tokens),
            (DecodeSpec { Total: true }, false) => (nameof(DecodeAttribute.CachedTokens), step.Batch, (tokens - step.NewTokens) * step.Batch),
            (DecodeSpec, false) => (nameof(DecodeAttribute.Context), System.Math.Max(SpecificationLimits.Context.Least, step.MinContext), tokens - step.NewTokens),
            // The prompt and all tokens but the last: nobody reads what that one adds.
            (DecodeSpec, true) => (nameof(GenerationAttribute.Tokens), SpecificationLimits.Generated.Least, tokens + 1 - step.MinContext),
            _ => ("", long.MaxValue, 0),
        };
        return value >= least ? Mend.By((property, value.ToString(CultureInfo.InvariantCulture))) : null;
    }

    private static bool IsDecode(AttributeData attribute) => attribute.AttributeClass!.Is<DecodeAttribute>();
}
