using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Calibration.Tests")]
