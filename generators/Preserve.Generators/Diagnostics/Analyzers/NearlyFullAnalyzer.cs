using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>PRSV105: says that a deployment leaves little of the device's memory.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NearlyFullAnalyzer() : ResolutionAnalyzer(Descriptors.NearlyFull)
{
    /// <summary>What vLLM takes of a device's memory by default, all that it allocates counted: gpu_memory_utilization 0.9
    /// (docs.vllm.ai, engine arguments).</summary>
    private const double MostShare = 0.9;

    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        if (resolution is not Resolution.Accepted { Device: var device })
            return;
        var fit = MemoryFit.Of(spec, device.MemoryBytes, device.HostMemoryBytes);
        var share = (double)fit.NeededBytes / fit.AvailableBytes;
        if (share <= MostShare)
            return;
        symbol.ReportDiagnostic(Diagnostic.Create(
            Descriptors.NearlyFull, FaultLocation.Of(attribute, symbol.Compilation), symbol.Symbol.Name, Gigabytes(fit.NeededBytes), Gigabytes(fit.AvailableBytes), spec.Device,
            (100 * share).ToString("0", CultureInfo.InvariantCulture)));
    }

    private static string Gigabytes(long bytes) => (bytes / 1e9m).ToString("#,0.0", CultureInfo.InvariantCulture);
}
