using System;

namespace Preserve;

/// <summary>Measured rows cannot be of the device that is to be calibrated with them, or are in another unit.</summary>
public sealed class CalibrationException : Exception
{
    internal CalibrationException(string message)
        : base(message)
    {
    }
}
