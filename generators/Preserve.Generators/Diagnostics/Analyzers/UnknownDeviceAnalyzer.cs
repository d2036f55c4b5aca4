using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV004: reports a device id that no device has.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnknownDeviceAnalyzer() : ResolutionAnalyzer(Descriptors.UnknownDevice)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        if (resolution is not Resolution.Unknown unknown)
            return;
        var location = FaultLocation.Of(attribute with { Argument = "device" }, symbol.Compilation);
        var hint = unknown.Nearest is null ? "" : $"; did you mean '{unknown.Nearest}'?";
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.UnknownDevice, location, spec.Device, hint));
    }
}
