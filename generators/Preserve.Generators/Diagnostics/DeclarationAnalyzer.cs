using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>Parses every declared model and deployment as the generator does, and reports the faults of one kind.</summary>
public abstract class DeclarationAnalyzer : TypeAnalyzer
{
    private protected DeclarationAnalyzer(DiagnosticDescriptor descriptor)
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
                var sink = new DiagnosticSink(Descriptor, symbol.Compilation, symbol.ReportDiagnostic);
                if (type.Carries<ModelAttribute>())
                    ModelParser.Parse(type, outer: null, sink);
                if (type.Carries<DeploymentAttribute>())
                    DeploymentParser.Parse(type, sink, spec => DeviceResolver.MayFit(spec, devices.Value));
                else
                    DeploymentParser.RefuseSteps(type, sink);
            },
            SymbolKind.NamedType);
    }
}
