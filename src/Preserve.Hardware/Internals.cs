using System.Runtime.CompilerServices;

// The simulated backend drives the resources of the machine; its tests and those of the machine hold them to hand-worked traces.
[assembly: InternalsVisibleTo("Preserve.Execution")]
[assembly: InternalsVisibleTo("Preserve.Optimizer")]
[assembly: InternalsVisibleTo("Preserve.Optimizer.Tests")]
[assembly: InternalsVisibleTo("Preserve.Benchmarks")]
[assembly: InternalsVisibleTo("Preserve.Execution.Tests")]
[assembly: InternalsVisibleTo("Preserve.Hardware.Tests")]

// Fits the laws' constants: the laws themselves are no part of what users call.
[assembly: InternalsVisibleTo("Preserve.Calibration")]
[assembly: InternalsVisibleTo("Preserve.Calibration.Tests")]
