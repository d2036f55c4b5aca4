using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV010: reports steps that are missing or contradict each other.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class StepsAnalyzer() : DeclarationAnalyzer(Descriptors.Steps);
