using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>PRSV006: reports a deployment that does not fit the memory of its device.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DoesNotFitAnalyzer() : ResolutionAnalyzer(Descriptors.DoesNotFit)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        var type = symbol.Symbol.Name;
        object[]? arguments = resolution switch
        {
            Resolution.DoesNotFit { Fit: { FitsDevice: true, HostAvailableBytes: { } host } fit } =>
                [type, MemoryFit.InGigabytes(fit.HostBytes, host).Needed, "host", MemoryFit.InGigabytes(fit.HostBytes, host).Available, Gigabytes(fit.HostWeightBytes), Gigabytes(fit.HostBytes - fit.HostWeightBytes), Gigabytes(0)],
            Resolution.DoesNotFit { Fit: var fit } =>
                [type, MemoryFit.InGigabytes(fit.NeededBytes, fit.AvailableBytes).Needed, spec.Device, MemoryFit.InGigabytes(fit.NeededBytes, fit.AvailableBytes).Available, Gigabytes(fit.WeightBytes), Gigabytes(fit.KeyValueBytes), Gigabytes(fit.ActivationBytes)],
            Resolution.Boundless boundless => [type, Over, spec.Device, Gigabytes(boundless.AvailableBytes), "?", "?", "?"],
            _ => null,
        };
        if (arguments is not null)
            symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.DoesNotFit, FaultLocation.Of(attribute, symbol.Compilation), arguments));
    }

    private static string Over => "over " + Gigabytes(long.MaxValue);
}
