using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Generators.Tests")]
