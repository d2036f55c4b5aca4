using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>Resolves the device of every sound deployment as the generator does, and reports what became of it.</summary>
public abstract class ResolutionAnalyzer : DeclarationAnalyzer
{
    private protected ResolutionAnalyzer(DiagnosticDescriptor descriptor)
        : base(descriptor)
    {
    }

    /// <inheritdoc/>
    private protected sealed override void Register(CompilationStartAnalysisContext start)
    {
        var files = start.Options.AdditionalFiles;
        var cancellation = start.CancellationToken;
        // Read once for a compilation, and only where there is a deployment.
        var devices = new Lazy<IReadOnlyList<DeclaredDevice>>(() => DeclaredDevices.ReadAll(files, cancellation), LazyThreadSafetyMode.PublicationOnly);
        start.RegisterSymbolAction(
            symbol =>
            {
                var type = (INamedTypeSymbol)symbol.Symbol;
                if (!type.Carries<DeploymentAttribute>() || DeploymentParser.Parse(type, new FaultCounter()) is not { } declaration)
                    return;
                var attribute = type.AttributesOf<DeploymentAttribute>().First();
                Report(symbol, declaration.Spec, DeviceResolver.Resolve(declaration.Spec, devices.Value), new FaultSite(type, attribute, null, 0, null));
            },
            SymbolKind.NamedType);
    }

    /// <summary>Reports a resolution, if it is the analyzer's own kind.</summary>
    private protected abstract void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute);

    /// <summary>Bytes in gigabytes of 10^9, to a tenth.</summary>
    private protected static string Gigabytes(long bytes) => (bytes / 1e9m).ToString("#,0.0", CultureInfo.InvariantCulture);
}
