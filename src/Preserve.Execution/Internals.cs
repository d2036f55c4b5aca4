using System.Runtime.CompilerServices;

// The search for prefetches times many plans that differ in a few cuts only.
[assembly: InternalsVisibleTo("Preserve.Optimizer")]
