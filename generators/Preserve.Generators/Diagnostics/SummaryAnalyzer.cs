using System.Collections.Generic;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>Reads what the generator wrote of the plans of every deployment, and reports it at the deployment's name.</summary>
public abstract class SummaryAnalyzer : TypeAnalyzer
{
    private protected SummaryAnalyzer(DiagnosticDescriptor descriptor)
        : base(descriptor)
    {
    }

    /// <inheritdoc/>
    private protected sealed override void Register(CompilationStartAnalysisContext start) => start.RegisterSymbolAction(
        symbol =>
        {
            var type = (INamedTypeSymbol)symbol.Symbol;
            var summaries = DeclaredSummary.AllOf(type);
            if (summaries.Count > 0 && type.DeclaredName() is { } name)
                Report(symbol, summaries, name, symbol.Options.AnalyzerConfigOptionsProvider.GetOptions(name.SourceTree!));
        },
        SymbolKind.NamedType);

    /// <summary>Reports of a planned deployment, if there is something of the analyzer's own kind.</summary>
    /// <param name="symbol">The deployment.</param>
    /// <param name="summaries">Its steps, one or more.</param>
    /// <param name="name">Its name.</param>
    /// <param name="options">The options of the file that declares it.</param>
    private protected abstract void Report(SymbolAnalysisContext symbol, IReadOnlyList<DeclaredSummary> summaries, Location name, AnalyzerConfigOptions options);
}
