using System.Runtime.CompilerServices;

// The optimizer's graph has the same operations and references, and writes them with the same words.
[assembly: InternalsVisibleTo("Preserve.Optimizer")]
// A model's name comes from a file, and must be one that plans can print.
[assembly: InternalsVisibleTo("Preserve.Models")]
// So do devices and tables of measurements, and errors quote them.
[assembly: InternalsVisibleTo("Preserve.Hardware")]
[assembly: InternalsVisibleTo("Preserve.Calibration")]
// The tool prints the words of the plan text.
[assembly: InternalsVisibleTo("Preserve.Cli")]
// The processor's backend tells the batches of a plan apart by their names.
[assembly: InternalsVisibleTo("Preserve.Cpu")]
