using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV107: says that a rate of a device file is an eighth of what its kind carries, as where bytes were taken for bits.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class EighthOfItsKindAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Descriptors.EighthOfItsKind);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterAdditionalFileAction(static file =>
        {
            if (!DeclaredDevices.IsDeviceFile(file.AdditionalFile) || file.AdditionalFile.GetText(file.CancellationToken) is not { } text)
                return;
            foreach (var doubt in DeviceFile.Parse(text.ToString()).Doubts)
                file.ReportDiagnostic(Diagnostic.Create(Descriptors.EighthOfItsKind, DeviceFileLocation.Of(file.AdditionalFile, text, doubt.Line, doubt.Column), doubt.Message));
        });
    }
}
