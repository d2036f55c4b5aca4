using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>Parses every declared model and deployment as the generator does, and reports the faults of one kind.</summary>
public abstract class DeclarationAnalyzer : DiagnosticAnalyzer
{
    private readonly DiagnosticDescriptor _descriptor;

    private protected DeclarationAnalyzer(DiagnosticDescriptor descriptor)
    {
        _descriptor = descriptor;
        SupportedDiagnostics = ImmutableArray.Create(descriptor);
    }

    /// <inheritdoc/>
    public sealed override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; }

    /// <inheritdoc/>
    public sealed override void Initialize(AnalysisContext context)
    {
        // Declarations in generated code too: the generator emits for them, so what it refuses must be reported.
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName(typeof(DeploymentAttribute).FullName!) is not null)
                Register(start);
        });
    }

    /// <summary>Registers what analyses types. By default, all faults that the parser finds are handed to the descriptor's sink.</summary>
    private protected virtual void Register(CompilationStartAnalysisContext start) => start.RegisterSymbolAction(
        symbol =>
        {
            var type = (INamedTypeSymbol)symbol.Symbol;
            var sink = new DiagnosticSink(_descriptor, symbol.Compilation, symbol.ReportDiagnostic);
            if (type.Carries<ModelAttribute>())
                ModelParser.Parse(type, outer: null, sink);
            if (type.Carries<DeploymentAttribute>())
                DeploymentParser.Parse(type, sink);
            else
                DeploymentParser.RefuseSteps(type, sink);
        },
        SymbolKind.NamedType);
}
