using System.Collections.Generic;

namespace Preserve;

/// <summary>What a calibration made.</summary>
/// <param name="Calibration">The constants.</param>
/// <param name="Device">The device with them, and with the sustained rate of memory that the rows show where that is more than it had.</param>
/// <param name="SustainedSource">Where that rate comes from; null where the device keeps its own.</param>
/// <param name="Dropped">Rows that were not used, with the reasons.</param>
/// <param name="NotUsed">Sound rows that no law is of.</param>
/// <param name="NotFitted">Kinds of kernels, and collectives by library and ranks, that the tables have rows of, but too few or of too few sizes: the device's law on paper takes their place.</param>
/// <param name="NotKept">Kinds of kernels, and collectives by library and ranks, that the device had measured constants of and the calibration has not.</param>
/// <param name="Figures">How well the laws fit: rows that the fit saw, and rows that it never saw.</param>
public sealed record CalibrationResult(
    DeviceCalibration Calibration, Device Device, FieldNote? SustainedSource, IReadOnlyList<DroppedRow> Dropped, IReadOnlyList<UnusedRows> NotUsed, IReadOnlyList<string> NotFitted,
    IReadOnlyList<string> NotKept, IReadOnlyList<ValidationResult> Figures);
