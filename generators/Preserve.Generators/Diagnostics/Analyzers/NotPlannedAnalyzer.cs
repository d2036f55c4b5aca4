using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV013: reports options of a deployment that the optimizer has no passes for.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NotPlannedAnalyzer() : DeclarationAnalyzer(Descriptors.NotPlanned);
