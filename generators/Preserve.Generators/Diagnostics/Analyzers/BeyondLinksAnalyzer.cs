using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV108: says that a group is larger than what the links of its device are known to join.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class BeyondLinksAnalyzer() : ResolutionAnalyzer(Descriptors.BeyondLinks)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        if (resolution is not Resolution.Accepted { Device: var device } || GroupReach.Beyond(device, spec.TensorParallel) is not { } note)
            return;
        var location = FaultLocation.Of(attribute with { Argument = nameof(DeploymentAttribute.TensorParallel) }, symbol.Compilation);
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.BeyondLinks, location, note));
    }
}
