using System;
using System.Collections.Generic;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV202: reports a step that gains less over the base plan than the project asks for.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class GainsTooLittleAnalyzer() : SummaryAnalyzer(Descriptors.GainsTooLittle)
{
    private protected override void Report(SymbolAnalysisContext symbol, IReadOnlyList<DeclaredSummary> summaries, Location name, AnalyzerConfigOptions options)
    {
        var contract = new PerformanceContract(options);
        foreach (var summary in summaries)
        {
            if (contract.LimitOf(PerformanceContract.MinimumSpeedup, summary.IsPrefill) is not var (key, asked) || summary.Speedup >= asked)
                continue;
            // Rounded down: what is too little never reads as enough.
            var speedup = Math.Floor(summary.Speedup * 1000) / 1000;
            symbol.ReportDiagnostic(Diagnostic.Create(
                Descriptors.GainsTooLittle, name, symbol.Symbol.Name, summary.Step, speedup.ToString("0.000", CultureInfo.InvariantCulture), key, asked.ToString(CultureInfo.InvariantCulture)));
        }
    }
}
