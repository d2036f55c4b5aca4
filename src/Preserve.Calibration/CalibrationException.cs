using System;
using System.Globalization;

namespace Preserve;

/// <summary>Measured rows cannot be of the device that is to be calibrated with them.</summary>
public sealed class CalibrationException : Exception
{
    internal CalibrationException(string system, string device, CalibratedTable table, DroppedRow first)
        : base(string.Create(
            CultureInfo.InvariantCulture,
            $"{table.Dropped:#,0} of {table.Rows:#,0} rows of '{system}' in {table.Table} cannot be of {device}, more than {100 * Calibrator.MostDropped:0} %; the first is {first}. Is it the device that was measured?"))
    {
    }
}
