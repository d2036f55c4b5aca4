using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators.Tests;

/// <summary>A run of all analyzers.</summary>
internal static class Analysis
{
    public static ImmutableArray<DiagnosticAnalyzer> Analyzers { get; } =
    [
        .. typeof(DeploymentGenerator).Assembly.GetTypes()
            .Where(t => t.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !t.IsAbstract)
            .Select(t => (DiagnosticAnalyzer)Activator.CreateInstance(t)!),
    ];

    /// <summary>What they report, by place, but for the summaries of plans: every sound deployment has those.</summary>
    public static Task<Diagnostic[]> DiagnosticsOf(CSharpCompilation compilation, params AdditionalText[] files) => Run(compilation, "", files, d => d.Id != SummaryId);

    /// <summary>What they report under an <c>.editorconfig</c>, summaries too.</summary>
    public static Task<Diagnostic[]> AllOf(CSharpCompilation compilation, string editorConfig = "", params AdditionalText[] files) => Run(compilation, editorConfig, files, _ => true);

    private const string SummaryId = "PRSV201";

    private static async Task<Diagnostic[]> Run(CSharpCompilation compilation, string editorConfig, AdditionalText[] files, Func<Diagnostic, bool> wanted)
    {
        var config = new EditorConfig(editorConfig);
        var diagnostics = await config.Over(compilation)
            .WithAnalyzers(Analyzers, new AnalyzerOptions([.. files], config.Options))
            .GetAnalyzerDiagnosticsAsync();
        return [.. diagnostics.Where(wanted).OrderBy(d => d.Location.GetLineSpan().Path, StringComparer.Ordinal).ThenBy(d => d.Location.SourceSpan.Start).ThenBy(d => d.Id, StringComparer.Ordinal)];
    }
}
