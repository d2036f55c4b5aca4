using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>PRSV105: says that a deployment leaves little of the device's memory, or of the host's where that is known.</summary>
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
        ReportOf(fit.NeededBytes, fit.AvailableBytes, "each " + spec.Device, fit.KeyValueBytes, "what a serving system needs beside it, such as captured graphs and buffers of the collectives");
        if (fit.HostAvailableBytes is { } host)
            ReportOf(fit.HostBytes, host, "the host's memory", fit.HostBytes - fit.HostWeightBytes, "what the host needs beside it, such as its system, the server and stored activations");

        void ReportOf(long needed, long available, string memory, long keyValues, string beside)
        {
            var share = (double)needed / available;
            if (share > MostShare)
            {
                symbol.ReportDiagnostic(Diagnostic.Create(
                    Descriptors.NearlyFull, FaultLocation.Of(attribute, symbol.Compilation), symbol.Symbol.Name, Gigabytes(needed), Gigabytes(available), memory,
                    (100 * share).ToString("0", CultureInfo.InvariantCulture), Gigabytes(keyValues), beside));
            }
        }
    }
}
