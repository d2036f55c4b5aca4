using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators;

/// <summary>PRSV009: reports the errors of a device file, each at its line.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DeviceFileAnalyzer() : DeviceTextAnalyzer(Descriptors.BadDeviceFile)
{
    private protected override void Report(AdditionalFileAnalysisContext file, SourceText text, DeviceFileResult parsed)
    {
        foreach (var error in parsed.Errors)
            Report(file, text, error.Message, error.Line, error.Column);
        if (parsed.Device is { } device && OtherOf(device.Id, file) is { } other)
            Report(file, text, $"the id '{device.Id}' is also that of {other}", parsed.IdLine, parsed.IdColumn);
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
