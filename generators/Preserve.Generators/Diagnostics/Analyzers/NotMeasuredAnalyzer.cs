using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV106: says that a device's times are made of data sheets and assumptions.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NotMeasuredAnalyzer() : ResolutionAnalyzer(Descriptors.NotMeasured)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        if (resolution is not Resolution.Accepted { Device: { Calibration: null, AssumedFields: { Count: > 0 } assumed } })
            return;
        var location = FaultLocation.Of(attribute with { Argument = "device" }, symbol.Compilation);
        symbol.ReportDiagnostic(Diagnostic.Create(
            Descriptors.NotMeasured, location, spec.Device, assumed.Count.ToString(CultureInfo.InvariantCulture), assumed[0].Field));
    }
}
