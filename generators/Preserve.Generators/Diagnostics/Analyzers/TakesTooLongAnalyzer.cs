using System;
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
            // Rounded up: what is too long never reads as short enough.
            var microseconds = Math.Ceiling(summary.StepMicroseconds * 10) / 10;
            symbol.ReportDiagnostic(Diagnostic.Create(
                Descriptors.TakesTooLong, name, symbol.Symbol.Name, summary.Step, microseconds.ToString("#,0.0", CultureInfo.InvariantCulture), key,
                allowed.ToString("#,0.######", CultureInfo.InvariantCulture)));
        }
    }
}
