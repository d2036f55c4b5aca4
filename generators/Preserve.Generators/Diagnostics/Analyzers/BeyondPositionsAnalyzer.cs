using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV102: says that a step reaches beyond the positions of its model.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class BeyondPositionsAnalyzer() : DeclarationAnalyzer(Descriptors.BeyondPositions);
