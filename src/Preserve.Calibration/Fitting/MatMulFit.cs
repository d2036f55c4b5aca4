using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Fits the constants of the matmul laws of one format.</summary>
/// <param name="device">The device.</param>
/// <param name="multiprocessors">Its multiprocessors.</param>
/// <param name="precision">The format.</param>
internal sealed class MatMulFit(Device device, int multiprocessors, Precision precision)
{
    /// <summary>How much a row of a layer table counts: those were measured on other machines of the same name, and rounded.</summary>
    private const double WeightOfLayers = 0.5;

    private static readonly ResidualBand s_none = new(1, 1);

    private readonly double _sustained = device.Hbm.SustainedGigabytesPerSecond / 1000;
    private readonly double _peak = device.Compute.TeraflopsOf(precision, precision);

    /// <summary>The constants that fit the rows best.</summary>
    /// <param name="cold">Rows of few rows with the weights in HBM.</param>
    /// <param name="ofLayers">The like, of layers.</param>
    /// <param name="hot">Rows of few rows with the weights in the L2.</param>
    /// <param name="large">Rows of many rows.</param>
    /// <param name="l2">The L2's rate where it is known from elsewhere: small weights say little of it.</param>
    public MatMulCalibration Fit(
        IReadOnlyList<MatMulRow> cold, IReadOnlyList<MatMulRow> ofLayers, IReadOnlyList<MatMulRow> hot, IReadOnlyList<MatMulRow> large, double? l2) =>
        new(precision, FitHot(FitCold(cold, ofLayers), hot, l2), FitTiled(large));

    /// <summary>The shape of a row: rows of one weight are one shape.</summary>
    public static string Shape(MatMulRow row) => $"matmul {row.Columns} {row.Depth}";

    private StreamingMatMulConstants FitCold(IReadOnlyList<MatMulRow> cold, IReadOnlyList<MatMulRow> ofLayers)
    {
        var layers = ofLayers.ToHashSet(ReferenceEqualityComparer.Instance);
        var rows = cold.Concat(ofLayers).ToList();
        var fit = new RelativeFit<MatMulRow, StreamingMatMulConstants>(
            [Parameter.Microseconds(3), Parameter.Nanoseconds(20), new Parameter(0.2, 1e-3, 10), Parameter.MemoryRate(device.Hbm), new Parameter(0.05, 1e-4, 1)],
            v => new StreamingMatMulConstants(v[0], v[1], v[2], v[3], v[4], v[0], v[1], v[3], s_none, s_none),
            (c, r) => Streaming(c, r, hot: false),
            r => r.Microseconds,
            r => layers.Contains(r) ? WeightOfLayers : 1);
        var best = fit.Fit(rows);
        var found = best.Constants;
        return found with
        {
            FixedMicroseconds = Rounded.OrZero(found.FixedMicroseconds),
            SplitNanoseconds = Rounded.OrZero(found.SplitNanoseconds),
            RampMicroseconds = Rounded.OrZero(found.RampMicroseconds),
            HbmTerabytesPerSecond = Rounded.AtMost(found.HbmTerabytesPerSecond, _sustained),
            WaveShare = Rounded.OrZero(found.WaveShare),
            Band = Residuals.Band(fit.CrossValidatedRatios(rows, best, Split.Folds(cold, Shape))),
        };
    }

    private StreamingMatMulConstants FitHot(StreamingMatMulConstants cold, IReadOnlyList<MatMulRow> rows, double? l2)
    {
        var rate = l2 is { } known ? Parameter.Known(known) : new Parameter(3 * device.Hbm.NominalGigabytesPerSecond / 1000, cold.HbmTerabytesPerSecond, device.L2.MostTerabytesPerSecond(device.Hbm));
        var fit = new RelativeFit<MatMulRow, StreamingMatMulConstants>(
            [Parameter.Microseconds(3), Parameter.Nanoseconds(1), rate],
            v => cold with { HotFixedMicroseconds = v[0], HotSerialNanoseconds = v[1], L2TerabytesPerSecond = v[2] },
            (c, r) => Streaming(c, r, hot: true),
            r => r.Microseconds);
        var best = fit.Fit(rows);
        return best.Constants with
        {
            HotFixedMicroseconds = Rounded.OrZero(best.Constants.HotFixedMicroseconds),
            HotSerialNanoseconds = Rounded.OrZero(best.Constants.HotSerialNanoseconds),
            L2TerabytesPerSecond = Math.Max(Rounded.Digits(best.Constants.L2TerabytesPerSecond), cold.HbmTerabytesPerSecond),
            HotBand = Residuals.Band(fit.CrossValidatedRatios(rows, best, Split.Folds(rows, Shape))),
        };
    }

    private TiledMatMulConstants FitTiled(IReadOnlyList<MatMulRow> rows)
    {
        var converts = precision is Precision.Fp8 or Precision.Int8;
        var fit = new RelativeFit<MatMulRow, TiledMatMulConstants>(
            [
                Parameter.Microseconds(3), Parameter.Nanoseconds(20), Parameter.MemoryRate(device.Hbm), Parameter.Rate(_peak),
                Parameter.Microseconds(0.5), converts ? new Parameter(3, 1e-3, 100) : Parameter.Known(0), converts ? Parameter.Nanoseconds(3) : Parameter.Known(0),
            ],
            v => new TiledMatMulConstants(v[0], v[1], v[2], v[3], v[4], v[5], v[6], s_none),
            (c, r) =>
            {
                var shape = ShapeOf(r);
                return KernelTime.Picoseconds(TiledMatMulLaw.Demand(shape, precision, c, multiprocessors, c.HbmTerabytesPerSecond), 0, shape.Bytes) / 1e6;
            },
            r => r.Microseconds);
        var best = fit.Fit(rows);
        var found = best.Constants;
        return new TiledMatMulConstants(
            Rounded.OrZero(found.FixedMicroseconds),
            Rounded.OrZero(found.SplitNanoseconds),
            Rounded.AtMost(found.HbmTerabytesPerSecond, _sustained),
            Rounded.AtMost(found.Teraflops, _peak),
            Rounded.OrZero(found.WaveMicroseconds),
            Rounded.OrZero(found.QuantizePicoseconds),
            Rounded.OrZero(found.QuantizeRowNanoseconds),
            Residuals.Band(fit.CrossValidatedRatios(rows, best, Split.Folds(rows, Shape))));
    }

    private double Streaming(StreamingMatMulConstants constants, MatMulRow row, bool hot)
    {
        var shape = ShapeOf(row);
        var demand = StreamingMatMulLaw.Demand(shape, constants, multiprocessors, _peak);
        return KernelTime.Picoseconds(demand, hot ? shape.Bytes : 0, hot ? 0 : shape.Bytes) / 1e6;
    }

    private MatMulShape ShapeOf(MatMulRow row) => new(row.Rows, row.Columns, row.Depth, precision.Bits());
}
