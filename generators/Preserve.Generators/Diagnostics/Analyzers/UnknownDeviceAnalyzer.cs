using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
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
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.UnknownDevice, location, unknown.Nearest is null ? null : Mend.By(("device", ExpressionOf(unknown.Nearest))).Properties, spec.Device, hint));
    }

    /// <summary>The constant of a built-in device, or the id itself.</summary>
    private static string ExpressionOf(string id) =>
        typeof(Devices).GetFields().FirstOrDefault(f => f.IsLiteral && f.GetRawConstantValue() is string value && value == id) is { } constant
            ? $"global::{nameof(Preserve)}.{nameof(Devices)}.{constant.Name}"
            : SymbolDisplay.FormatLiteral(id, quote: true);
}
