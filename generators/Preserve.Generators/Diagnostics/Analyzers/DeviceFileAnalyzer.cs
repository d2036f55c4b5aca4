using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV009: reports the errors of a device file, each at its line.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DeviceFileAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Descriptors.BadDeviceFile);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterAdditionalFileAction(static file =>
        {
            if (!DeclaredDevices.IsDeviceFile(file.AdditionalFile) || file.AdditionalFile.GetText(file.CancellationToken) is not { } text)
                return;
            var result = DeviceFile.Parse(text.ToString());
            foreach (var error in result.Errors)
                Report(error.Message, error.Line, error.Column);
            if (result.Device is { } device && OtherOf(device.Id, file) is { } other)
                Report($"the id '{device.Id}' is also that of {other}", 1, 1);

            void Report(string message, int line, int column) =>
                file.ReportDiagnostic(Diagnostic.Create(Descriptors.BadDeviceFile, DeviceFileLocation.Of(file.AdditionalFile, text, line, column), message));
        });
    }

    /// <summary>Another device of the same id, in words.</summary>
    private static string? OtherOf(string id, AdditionalFileAnalysisContext file)
    {
        if (DeviceCatalogue.Ids.Contains(id))
            return "a built-in device";
        var other = file.Options.AdditionalFiles.FirstOrDefault(f =>
            f.Path != file.AdditionalFile.Path && DeclaredDevices.IsDeviceFile(f) && DeclaredDevices.Read(f, file.CancellationToken)?.Device.Id == id);
        return other is null ? null : $"'{DeclaredDevices.NameOf(other)}'";
    }
}
