using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Reads one declared step.</summary>
internal static class StepParser
{
    public static DeclaredAttribute DeclarationOf(AttributeData attribute, INamedTypeSymbol type, IFaultSink sink) =>
        new(attribute, type, outer: null, IsDecode(attribute) ? "the decode step" : "the prefill step", sink);

    /// <summary>The step. Values that are missing have a stand-in, and a fault.</summary>
    public static StepSpec Parse(AttributeData attribute, DeclaredAttribute declaration, IFaultSink sink)
    {
        var batch = declaration.Required(nameof(DecodeAttribute.Batch), standIn: 1);
        if (!IsDecode(attribute))
            return new PrefillSpec(batch, declaration.Required(nameof(PrefillAttribute.Tokens), standIn: 1));

        var each = declaration.Has(nameof(DecodeAttribute.Context));
        var total = declaration.Has(nameof(DecodeAttribute.CachedTokens));
        if (each && total)
            sink.Report(Descriptors.Steps, declaration.Site(nameof(DecodeAttribute.CachedTokens)), "the decode step gives both Context, of each sequence, and CachedTokens, of all together");
        if (!each && !total)
            sink.Report(Descriptors.Steps, declaration.Site(), "the decode step gives neither Context, of each sequence, nor CachedTokens, of all together");
        return total
            ? new DecodeSpec(batch, declaration.Int(nameof(DecodeAttribute.CachedTokens), unset: batch), Total: true)
            : new DecodeSpec(batch, declaration.Int(nameof(DecodeAttribute.Context), unset: 1), Total: false);
    }

    private static bool IsDecode(AttributeData attribute) => attribute.AttributeClass!.Is<DecodeAttribute>();
}
