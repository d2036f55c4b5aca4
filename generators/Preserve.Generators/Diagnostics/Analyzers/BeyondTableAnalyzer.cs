using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV014: reports a step that needs more rows of a learned position table than there are.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class BeyondTableAnalyzer() : DeclarationAnalyzer(Descriptors.BeyondTable);
