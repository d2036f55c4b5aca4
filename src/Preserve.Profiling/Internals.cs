using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Profiling.Tests")]
