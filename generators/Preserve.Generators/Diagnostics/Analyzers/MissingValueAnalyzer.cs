using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV011: reports values that must be given and are not.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MissingValueAnalyzer() : DeclarationAnalyzer(Descriptors.MissingValue);
