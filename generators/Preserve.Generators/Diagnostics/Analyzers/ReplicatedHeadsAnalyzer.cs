using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV101: says that several ranks hold the same key and value heads.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ReplicatedHeadsAnalyzer() : DeclarationAnalyzer(Descriptors.ReplicatedHeads);
