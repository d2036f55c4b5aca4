using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Optimizer.Tests")]
[assembly: InternalsVisibleTo("Preserve.Benchmarks")]
