using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Cpu.Tests")]
[assembly: InternalsVisibleTo("Preserve.Benchmarks")]
[assembly: InternalsVisibleTo("Preserve.Fuzz")]
