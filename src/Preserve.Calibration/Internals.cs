using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Preserve.Calibration.Tests")]
[assembly: InternalsVisibleTo("Preserve.Fuzz")]
