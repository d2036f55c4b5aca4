using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV104: says that nothing can be prefetched on a device whose L2 is not known.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NoPrefetchAnalyzer() : ResolutionAnalyzer(Descriptors.NoPrefetch)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        // Where layers serve several batches, nothing would be prefetched into an L2 that is known either.
        if (resolution is not Resolution.Accepted { Device.UnknownL2: { } unknown } || spec.Prefetch == PrefetchPolicy.None || spec.Offload.BatchesPerLayer > 1)
            return;
        var location = FaultLocation.Of(attribute with { Argument = "device" }, symbol.Compilation);
        var mend = Mend.By((nameof(DeploymentAttribute.Prefetch), $"global::{nameof(Preserve)}.{nameof(PrefetchPolicy)}.{nameof(PrefetchPolicy.None)}"));
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.NoPrefetch, location, mend.Properties, unknown));
    }
}
