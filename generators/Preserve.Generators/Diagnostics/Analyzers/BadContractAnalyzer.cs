using System.Collections.Generic;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV204: reports what a project asks of its plans and cannot be read: it would be asked for in vain.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class BadContractAnalyzer() : SummaryAnalyzer(Descriptors.BadContract)
{
    private protected override void Report(SymbolAnalysisContext symbol, IReadOnlyList<DeclaredSummary> summaries, Location name, AnalyzerConfigOptions options)
    {
        foreach (var fault in new PerformanceContract(options).Faults())
            symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.BadContract, name, fault));
    }
}
