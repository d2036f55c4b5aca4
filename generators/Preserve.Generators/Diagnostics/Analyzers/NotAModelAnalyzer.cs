using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV003: reports a deployment of a type that is not a model.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NotAModelAnalyzer() : DeclarationAnalyzer(Descriptors.NotAModel);
