using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV013: reports a sound deployment that the optimizer has no passes for.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NotPlannedAnalyzer() : ResolutionAnalyzer(Descriptors.NotPlanned)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        if (resolution is not Resolution.NotPlanned refused)
            return;
        var location = FaultLocation.Of(attribute with { Argument = refused.Refusal.Option }, symbol.Compilation);
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.NotPlanned, location, symbol.Symbol.Name, refused.Refusal.Reason));
    }
}
