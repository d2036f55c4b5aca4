using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Generators.Tests")]
// A fix writes down what the analyzers worked out.
[assembly: InternalsVisibleTo("Preserve.CodeFixes")]
[assembly: InternalsVisibleTo("Preserve.CodeFixes.Tests")]
