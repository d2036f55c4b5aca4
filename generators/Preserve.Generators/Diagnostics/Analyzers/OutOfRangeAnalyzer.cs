using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV008: reports values out of range.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class OutOfRangeAnalyzer() : DeclarationAnalyzer(Descriptors.OutOfRange);
