using System.Linq;
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
        var device = "each " + spec.Device;
        (string Memory, (string Needed, string Available) Sizes, string Parts)? found = resolution switch
        {
            Resolution.DoesNotFit { Fit: { FitsDevice: true, HostAvailableBytes: { } host } fit } =>
                ("the host", MemoryFit.InGigabytes(fit.HostBytes, host), " for all ranks together" + Parts(fit.HostWeightBytes, fit.HostBytes - fit.HostWeightBytes, 0)),
            Resolution.DoesNotFit { Fit: var fit } =>
                (device, MemoryFit.InGigabytes(fit.NeededBytes, fit.AvailableBytes), Parts(fit.WeightBytes, fit.KeyValueBytes, fit.ActivationBytes)),
            Resolution.Boundless boundless => (device, (Over, Gigabytes(boundless.AvailableBytes)), ""),
            _ => null,
        };
        if (found is var (memory, (needed, available), parts))
            symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.DoesNotFit, FaultLocation.Of(attribute, symbol.Compilation), symbol.Symbol.Name, needed, memory, available, parts));
    }

    /// <summary>What takes the memory, of all that takes some.</summary>
    private static string Parts(long weights, long keyValues, long activations)
    {
        var parts = new (string What, string Take, long Bytes)[] { ("weights", "take ", weights), ("the KV-cache", "takes ", keyValues), ("activations", "take ", activations) }
            .Where(p => p.Bytes > 0).Select((p, i) => $"{p.What} {(i == 0 ? p.Take : "")}{Gigabytes(p.Bytes)} GB").ToList();
        return "; of these, " + (parts.Count == 1 ? parts[0] : $"{string.Join(", ", parts.Take(parts.Count - 1))} and {parts[parts.Count - 1]}");
    }

    private static string Over => "over " + Gigabytes(long.MaxValue);
}
