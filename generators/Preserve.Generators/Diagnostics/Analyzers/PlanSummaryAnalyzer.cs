using System.Collections.Generic;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV201: says what the plan of each step gives, and why.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class PlanSummaryAnalyzer() : SummaryAnalyzer(Descriptors.PlanSummary)
{
    private protected override void Report(SymbolAnalysisContext symbol, IReadOnlyList<DeclaredSummary> summaries, Location name, AnalyzerConfigOptions options)
    {
        foreach (var summary in summaries)
            symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.PlanSummary, name, summary.ToString()));
    }
}
