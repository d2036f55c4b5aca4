using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV004: reports a device id that no device has, whatever else is wrong with the deployment.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnknownDeviceAnalyzer() : DeviceAnalyzer(Descriptors.UnknownDevice)
{
    private protected override void Report(SymbolAnalysisContext symbol, FaultSite attribute, Lazy<IReadOnlyList<DeclaredDevice>> devices)
    {
        // What the compiler could not bind, it reports.
        var arguments = attribute.Attribute!.ConstructorArguments;
        if (arguments.Length != 2 || arguments[1].Kind == TypedConstantKind.Error)
            return;
        var id = arguments[1].Value as string ?? "";
        if (DeviceResolver.Find(id, devices.Value) is not Resolution.Unknown unknown)
            return;
        var location = FaultLocation.Of(attribute with { Argument = "device" }, symbol.Compilation);
        // A device whose file has a slip is no other device; one whose id cannot be read may be the one that is meant.
        var faulty = DeclaredDevices.FaultyFileOf(id, symbol.Options.AdditionalFiles, symbol.CancellationToken);
        var hint = faulty switch
        {
            null => unknown.Suggestion.Hint,
            { HasId: true } => $"; '{faulty.Name}' has errors, and no device is known of it",
            _ => $"; the id of '{faulty.Name}' cannot be read{unknown.Suggestion.Hint}",
        };
        var mend = faulty is null && unknown.Suggestion.Meant is { } meant ? Mend.By((Mend.Marked, ExpressionOf(meant))).Properties : null;
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.UnknownDevice, location, mend, id, hint));
    }

    /// <summary>The constant of a built-in device, or the id itself.</summary>
    private static string ExpressionOf(string id) =>
        typeof(Devices).GetFields().FirstOrDefault(f => f.IsLiteral && f.GetRawConstantValue() is string value && value == id) is { } constant
            ? $"global::{nameof(Preserve)}.{nameof(Devices)}.{constant.Name}"
            : SymbolDisplay.FormatLiteral(id, quote: true);
}
