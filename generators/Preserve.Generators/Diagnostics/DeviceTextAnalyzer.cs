using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators;

/// <summary>Looks at each device file of the project, and reports one kind of finding at its line.</summary>
public abstract class DeviceTextAnalyzer : DiagnosticAnalyzer
{
    private readonly DiagnosticDescriptor _descriptor;

    private protected DeviceTextAnalyzer(DiagnosticDescriptor descriptor)
    {
        _descriptor = descriptor;
        SupportedDiagnostics = ImmutableArray.Create(descriptor);
    }

    /// <inheritdoc/>
    public sealed override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; }

    /// <inheritdoc/>
    public sealed override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterAdditionalFileAction(file =>
        {
            if (DeclaredDevices.IsDeviceFile(file.AdditionalFile) && file.AdditionalFile.GetText(file.CancellationToken) is { } text)
                Report(file, text, DeviceFile.Parse(text.ToString()));
        });
    }

    private protected abstract void Report(AdditionalFileAnalysisContext file, SourceText text, DeviceFileResult parsed);

    private protected void Report(AdditionalFileAnalysisContext file, SourceText text, string message, int line, int column) =>
        file.ReportDiagnostic(Diagnostic.Create(_descriptor, DeviceFileLocation.Of(file.AdditionalFile, text, line, column), message));
}
