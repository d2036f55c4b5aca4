using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Compares predicted times with measured ones.</summary>
public static class Validator
{
    /// <summary>Compares the built-in devices with the tables.</summary>
    /// <param name="measurements">The measured times.</param>
    /// <exception cref="ArgumentNullException"><paramref name="measurements"/> is null.</exception>
    public static IReadOnlyList<ValidationResult> Validate(MeasurementSet measurements)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        var results = new List<ValidationResult>();
        foreach (var system in MeasuredSystem.All)
        {
            if (DeviceCatalogue.TryGet(system.DeviceId, out var device))
                results.AddRange(Validate(measurements, system.Name, device));
        }
        return results;
    }

    /// <summary>Compares a device with the rows of a system.</summary>
    /// <param name="measurements">The measured times.</param>
    /// <param name="system">The name under which the device was measured.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<ValidationResult> Validate(MeasurementSet measurements, string system, Device device)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(device);
        return Validate(SystemRows.Of(measurements, system, device), system, device);
    }

    /// <summary>Compares a device with one part of the rows of a system.</summary>
    /// <param name="measurements">The measured times.</param>
    /// <param name="system">The name under which the device was measured.</param>
    /// <param name="device">The device.</param>
    /// <param name="part">Which rows. Of whole layers those of Llama-2-70B were kept from the fit, every operator; the others were not.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<ValidationResult> Validate(MeasurementSet measurements, string system, Device device, ValidatedPart part)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(device);
        return [.. Summed(Predict(measurements, system, device, part), SystemRows.Of(measurements, system, device), system, part)];
    }

    /// <summary>The rows of a system that are not compared, with the reasons: they break physics, or are known outliers.</summary>
    /// <param name="measurements">The measured times.</param>
    /// <param name="system">The name under which the device was measured.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<DroppedRow> Dropped(MeasurementSet measurements, string system, Device device)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(device);
        return SystemRows.Of(measurements, system, device).Dropped;
    }

    /// <summary>Sound rows of a system that are not compared either, with the reasons: no law is of them, or the device has no constants of their library.</summary>
    /// <param name="measurements">The measured times.</param>
    /// <param name="system">The name under which the device was measured.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<UnusedRows> NotCompared(MeasurementSet measurements, string system, Device device)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(device);
        return new Predictor(device).NotPredicted(SystemRows.Of(measurements, system, device), system).ToList();
    }

    /// <summary>The rows of a part beside their predictions.</summary>
    /// <param name="measurements">The measured times.</param>
    /// <param name="system">The name under which the device was measured.</param>
    /// <param name="device">The device.</param>
    /// <param name="part">Which rows.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<Prediction> Predict(MeasurementSet measurements, string system, Device device, ValidatedPart part)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(device);
        var rows = SystemRows.Of(measurements, system, device);
        return new Predictor(device).Predict(Part(rows, part), system).ToList();
    }

    internal static IReadOnlyList<ValidationResult> Validate(SystemRows rows, string system, Device device)
    {
        var predictor = new Predictor(device);
        var results = new List<ValidationResult>();
        foreach (var part in new[] { ValidatedPart.HeldOut, ValidatedPart.Fitted })
            results.AddRange(Summed(predictor.Predict(Part(rows, part), system), rows, system, part));
        return results;
    }

    private static IEnumerable<ValidationResult> Summed(IEnumerable<Prediction> predictions, SystemRows rows, string system, ValidatedPart part) =>
        predictions.GroupBy(p => (p.Table, p.Kind)).OrderBy(g => g.Key)
            .Select(g => Summary(system, g.Key.Table, g.Key.Kind, part, g.ToList(), rows.Dropped.Count(d => d.Table == g.Key.Table)));

    /// <summary>The figures of some predictions.</summary>
    internal static ValidationResult Summary(string system, string table, string kind, ValidatedPart part, IReadOnlyList<Prediction> rows, int dropped)
    {
        var errors = rows.Select(p => 100 * ((p.Predicted / p.Measured) - 1)).ToList();
        var sizes = errors.Select(Math.Abs).ToList();
        var banded = rows.Where(p => p.Band is not null).ToList();
        return new ValidationResult(
            table,
            system,
            kind,
            part,
            rows.Count,
            dropped,
            sizes.Average(),
            Residuals.Quantile(sizes, 0.5),
            Residuals.Quantile(sizes, 0.9),
            errors.Average(),
            banded.Count == 0 ? null : 100.0 * banded.Count(IsInside) / banded.Count);
    }

    private static bool IsInside(Prediction row) =>
        row.Measured >= row.Predicted * row.Band!.Low && row.Measured <= row.Predicted * row.Band.High;

    private static SystemRows Part(SystemRows rows, ValidatedPart part) => part switch
    {
        ValidatedPart.HeldOut => rows.HeldOut,
        ValidatedPart.Fitted => rows.Fitted,
        _ => rows,
    };
}
