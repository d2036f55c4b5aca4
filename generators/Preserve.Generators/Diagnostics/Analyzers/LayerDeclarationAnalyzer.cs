using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV007: reports layer declarations that are missing or contradict each other.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class LayerDeclarationAnalyzer() : DeclarationAnalyzer(Descriptors.LayerDeclaration);
