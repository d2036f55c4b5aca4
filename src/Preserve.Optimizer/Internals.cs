using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Optimizer.Tests")]
[assembly: InternalsVisibleTo("Preserve.Benchmarks")]

// A published system is modelled by splits and an order of copies that the planner would not choose.
[assembly: InternalsVisibleTo("Preserve.Exploration")]
// Plans by every split and rule, and not only by those that pay, must compute the same.
[assembly: InternalsVisibleTo("Preserve.Cpu.Tests")]
// An editor says what keeps every prefetch away as the report does.
[assembly: InternalsVisibleTo("Preserve.Generators")]
