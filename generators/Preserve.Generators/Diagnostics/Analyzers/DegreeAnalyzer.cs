using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV005: reports a tensor-parallel degree that does not divide the model.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DegreeAnalyzer() : DeclarationAnalyzer(Descriptors.Degree);
