using System.Collections.Generic;

namespace Preserve;

/// <summary>What a calibration made.</summary>
/// <param name="Calibration">The constants.</param>
/// <param name="Device">The device with them.</param>
/// <param name="Dropped">Rows that were not used, with the reasons.</param>
/// <param name="Figures">How well the laws fit: rows that the fit saw, and rows that it never saw.</param>
public sealed record CalibrationResult(
    DeviceCalibration Calibration, Device Device, IReadOnlyList<DroppedRow> Dropped, IReadOnlyList<ValidationResult> Figures);
