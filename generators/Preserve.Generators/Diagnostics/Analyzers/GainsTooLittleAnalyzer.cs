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
            symbol.ReportDiagnostic(Diagnostic.Create(
                Descriptors.GainsTooLittle, name, symbol.Symbol.Name, summary.Step, PerformanceContract.Figure(summary.Speedup, asked, DeclaredSummary.SpeedupPlaces), key, asked.ToString(CultureInfo.InvariantCulture)));
        }
    }
}
