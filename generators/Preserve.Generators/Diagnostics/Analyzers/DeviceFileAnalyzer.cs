using System;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

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
                file.ReportDiagnostic(Diagnostic.Create(Descriptors.BadDeviceFile, LocationOf(file.AdditionalFile.Path, text, line, column), message));
        });
    }

    /// <summary>Another device of the same id, in words.</summary>
    private static string? OtherOf(string id, AdditionalFileAnalysisContext file)
    {
        if (DeviceCatalogue.Ids.Contains(id))
            return "a built-in device";
        var other = file.Options.AdditionalFiles.FirstOrDefault(f =>
            f.Path != file.AdditionalFile.Path && DeclaredDevices.IsDeviceFile(f) && DeclaredDevices.Read(f, file.CancellationToken)?.Device.Id == id);
        return other is null ? null : $"'{NameOf(other.Path)}'";
    }

    /// <summary>From the place of the error to the end of its line.</summary>
    private static Location LocationOf(string path, SourceText text, int line, int column)
    {
        var found = text.Lines[Math.Min(line, text.Lines.Count) - 1];
        var span = TextSpan.FromBounds(Math.Min(found.Start + column - 1, found.End), found.End);
        return Location.Create(path, span, text.Lines.GetLinePositionSpan(span));
    }

    private static string NameOf(string path) => path.Substring(path.LastIndexOfAny(['/', '\\']) + 1);
}
