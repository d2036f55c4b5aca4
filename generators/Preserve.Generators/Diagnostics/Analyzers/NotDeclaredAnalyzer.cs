using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV015: reports steps on a type that is no declared deployment.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NotDeclaredAnalyzer() : DeclarationAnalyzer(Descriptors.NotDeclared);
