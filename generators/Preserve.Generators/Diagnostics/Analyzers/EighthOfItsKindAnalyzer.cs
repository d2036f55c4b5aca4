using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators;

/// <summary>PRSV107: says that a rate of a device file is an eighth of what its kind carries, as where bytes were taken for bits.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class EighthOfItsKindAnalyzer() : DeviceTextAnalyzer(Descriptors.EighthOfItsKind)
{
    private protected override void Report(AdditionalFileAnalysisContext file, SourceText text, DeviceFileResult parsed)
    {
        foreach (var doubt in parsed.Doubts)
            Report(file, text, doubt.Message, doubt.Line, doubt.Column);
    }
}
