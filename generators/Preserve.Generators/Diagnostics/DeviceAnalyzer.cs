using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>Looks at every deployment together with the devices of the project's own.</summary>
public abstract class DeviceAnalyzer : TypeAnalyzer
{
    private protected DeviceAnalyzer(DiagnosticDescriptor descriptor)
        : base(descriptor)
    {
    }

    /// <inheritdoc/>
    private protected sealed override void Register(CompilationStartAnalysisContext start)
    {
        var devices = DeclaredDevices.ReadOnce(start.Options.AdditionalFiles, start.CancellationToken);
        start.RegisterSymbolAction(
            symbol =>
            {
                var type = (INamedTypeSymbol)symbol.Symbol;
                if (type.AttributesOf<DeploymentAttribute>().FirstOrDefault() is { } attribute)
                    Report(symbol, new FaultSite(type, attribute, null, 0, null), devices);
            },
            SymbolKind.NamedType);
    }

    /// <summary>Reports of a deployment, if there is something of the analyzer's own kind.</summary>
    /// <param name="symbol">The deployment, which may have faults.</param>
    /// <param name="attribute">What declares it.</param>
    /// <param name="devices">The devices of the project's own.</param>
    private protected abstract void Report(SymbolAnalysisContext symbol, FaultSite attribute, Lazy<IReadOnlyList<DeclaredDevice>> devices);
}
