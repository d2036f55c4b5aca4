using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV002: reports a deployment that no generated part can be added to.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class CannotBeExtendedAnalyzer() : DeclarationAnalyzer(Descriptors.CannotBeExtended);
