using System.Runtime.CompilerServices;

// The search for prefetches times many plans that differ in a few cuts only.
[assembly: InternalsVisibleTo("Preserve.Optimizer")]
// A generation that is computed has the plans of one that is timed.
[assembly: InternalsVisibleTo("Preserve.Cpu")]
// How much of a plan is walked is counted.
[assembly: InternalsVisibleTo("Preserve.Execution.Tests")]
