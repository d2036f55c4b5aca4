using System;
using System.Collections.Generic;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>Resolves the device of every sound deployment as the generator does, and reports what became of it.</summary>
public abstract class ResolutionAnalyzer : DeviceAnalyzer
{
    private protected ResolutionAnalyzer(DiagnosticDescriptor descriptor)
        : base(descriptor)
    {
    }

    /// <inheritdoc/>
    private protected sealed override void Report(SymbolAnalysisContext symbol, FaultSite attribute, Lazy<IReadOnlyList<DeclaredDevice>> devices)
    {
        if (DeploymentParser.ParseSpec((INamedTypeSymbol)symbol.Symbol, new FaultCounter()) is { } spec)
            Report(symbol, spec, DeviceResolver.Resolve(spec, devices.Value), attribute);
    }

    /// <summary>Reports a resolution, if it is the analyzer's own kind.</summary>
    private protected abstract void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute);

    /// <summary>Bytes in gigabytes of 10^9, to a tenth.</summary>
    private protected static string Gigabytes(long bytes) => (bytes / 1e9m).ToString("#,0.0", CultureInfo.InvariantCulture);
}
