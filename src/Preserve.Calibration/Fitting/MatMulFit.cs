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
    private static readonly ResidualBand s_none = new(1, 1);

    private readonly double _hbm = device.Hbm.NominalGigabytesPerSecond / 1000;
    private readonly double _peak = device.Compute.TeraflopsOf(precision, precision);

    /// <summary>The constants that fit the rows best.</summary>
    /// <param name="cold">Rows with the weights in HBM.</param>
    /// <param name="hot">Rows of few rows with the weights in the L2.</param>
    /// <param name="large">Rows of many rows.</param>
    /// <param name="l2">The L2's rate where it is known from elsewhere: small weights say little of it.</param>
    public MatMulCalibration Fit(IReadOnlyList<MatMulRow> cold, IReadOnlyList<MatMulRow> hot, IReadOnlyList<MatMulRow> large, double? l2)
    {
        var streaming = FitStreaming(cold, hot, l2);
        return new MatMulCalibration(precision, streaming, FitTiled(large));
    }

    /// <summary>The shape of a row: rows of one weight are one shape.</summary>
    public static string Shape(MatMulRow row) => $"matmul {row.Columns} {row.Depth}";

    private StreamingMatMulConstants FitStreaming(IReadOnlyList<MatMulRow> cold, IReadOnlyList<MatMulRow> hot, double? l2)
    {
        var coldFit = new RelativeFit<MatMulRow, StreamingMatMulConstants>(
            [Parameter.Microseconds(3), Parameter.Nanoseconds(20), Parameter.Rate(_hbm), new Parameter(0.05, 1e-4, 1)],
            v => new StreamingMatMulConstants(v[0], v[1], v[2], v[3], v[0], v[1], v[2], s_none, s_none),
            (c, r) => Streaming(c, r, hot: false),
            r => r.Microseconds);
        var best = coldFit.Fit(cold);
        var found = best.Constants;
        found = found with
        {
            FixedMicroseconds = Rounded.OrZero(found.FixedMicroseconds),
            SplitNanoseconds = Rounded.OrZero(found.SplitNanoseconds),
            HbmTerabytesPerSecond = Rounded.AtMost(found.HbmTerabytesPerSecond, _hbm),
            WaveShare = Rounded.OrZero(found.WaveShare),
            Band = Residuals.Band(coldFit.CrossValidatedRatios(cold, best, Shape)),
        };

        // The L2 is faster than memory, and no cache of the last five years gives more than ten times its memory's rate.
        var fastest = 10 * _hbm;
        var rate = l2 is { } known ? Parameter.Known(known) : new Parameter(3 * _hbm, found.HbmTerabytesPerSecond, fastest);
        var hotFit = new RelativeFit<MatMulRow, StreamingMatMulConstants>(
            [Parameter.Microseconds(2), Parameter.Nanoseconds(60), rate],
            v => found with { HotFixedMicroseconds = v[0], HotSplitNanoseconds = v[1], L2TerabytesPerSecond = v[2] },
            (c, r) => Streaming(c, r, hot: true),
            r => r.Microseconds);
        var hotBest = hotFit.Fit(hot);
        return hotBest.Constants with
        {
            HotFixedMicroseconds = Rounded.OrZero(hotBest.Constants.HotFixedMicroseconds),
            HotSplitNanoseconds = Rounded.OrZero(hotBest.Constants.HotSplitNanoseconds),
            L2TerabytesPerSecond = Math.Max(Rounded.Digits(hotBest.Constants.L2TerabytesPerSecond), found.HbmTerabytesPerSecond),
            HotBand = Residuals.Band(hotFit.CrossValidatedRatios(hot, hotBest, Shape)),
        };
    }

    private TiledMatMulConstants FitTiled(IReadOnlyList<MatMulRow> rows)
    {
        var converts = precision is Precision.Fp8 or Precision.Int8;
        var fit = new RelativeFit<MatMulRow, TiledMatMulConstants>(
            [
                Parameter.Microseconds(3), Parameter.Nanoseconds(20), Parameter.Rate(_hbm), Parameter.Rate(_peak),
                Parameter.Microseconds(0.5), converts ? new Parameter(3, 1e-3, 100) : Parameter.Known(0),
            ],
            v => new TiledMatMulConstants(v[0], v[1], v[2], v[3], v[4], v[5], s_none),
            (c, r) =>
            {
                var shape = ShapeOf(r);
                return KernelTime.Picoseconds(TiledMatMulLaw.Demand(shape, c, multiprocessors, c.HbmTerabytesPerSecond), 0, shape.Bytes) / 1e6;
            },
            r => r.Microseconds);
        var best = fit.Fit(rows);
        var found = best.Constants;
        return new TiledMatMulConstants(
            Rounded.OrZero(found.FixedMicroseconds),
            Rounded.OrZero(found.SplitNanoseconds),
            Rounded.AtMost(found.HbmTerabytesPerSecond, _hbm),
            Rounded.AtMost(found.Teraflops, _peak),
            Rounded.OrZero(found.WaveMicroseconds),
            Rounded.OrZero(found.QuantizePicoseconds),
            Residuals.Band(fit.CrossValidatedRatios(rows, best, Shape)));
    }

    private double Streaming(StreamingMatMulConstants constants, MatMulRow row, bool hot)
    {
        var shape = ShapeOf(row);
        var demand = StreamingMatMulLaw.Demand(shape, constants, multiprocessors, _peak);
        return KernelTime.Picoseconds(demand, hot ? shape.Bytes : 0, hot ? 0 : shape.Bytes) / 1e6;
    }

    private MatMulShape ShapeOf(MatMulRow row) => new(row.Rows, row.Columns, row.Depth, precision.Bits());
}
