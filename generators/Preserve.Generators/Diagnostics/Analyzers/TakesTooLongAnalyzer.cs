using System.Collections.Generic;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV203: reports a step that takes longer than the project allows.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class TakesTooLongAnalyzer() : SummaryAnalyzer(Descriptors.TakesTooLong)
{
    private protected override void Report(SymbolAnalysisContext symbol, IReadOnlyList<DeclaredSummary> summaries, Location name, AnalyzerConfigOptions options)
    {
        var contract = new PerformanceContract(options);
        foreach (var summary in summaries)
        {
            if (contract.LimitOf(PerformanceContract.MaximumStep, summary.IsPrefill) is not var (key, allowed) || summary.StepMicroseconds <= allowed)
                continue;
            symbol.ReportDiagnostic(Diagnostic.Create(
                Descriptors.TakesTooLong, name, symbol.Symbol.Name, summary.Step, PerformanceContract.Figure(summary.StepMicroseconds, allowed, DeclaredSummary.MicrosecondPlaces), key,
                allowed.ToString("#,0.######", CultureInfo.InvariantCulture)));
        }
    }
}
