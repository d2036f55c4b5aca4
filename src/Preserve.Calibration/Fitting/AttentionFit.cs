using System.Collections.Generic;

namespace Preserve;

/// <summary>Fits the constants of the attention laws.</summary>
/// <param name="device">The device.</param>
/// <param name="multiprocessors">Its multiprocessors.</param>
internal sealed class AttentionFit(Device device, int multiprocessors)
{
    private static readonly ResidualBand s_none = new(1, 1);

    private readonly double _nominal = device.Hbm.NominalGigabytesPerSecond / 1000;
    private readonly double _sustained = device.Hbm.SustainedGigabytesPerSecond / 1000;
    private readonly double _peak = device.Compute.Bf16Teraflops;

    public static string Shape(AttentionRow row) => $"attention {row.Decode} {row.Batch} {row.Length} {row.Heads} {row.KeyValueHeads}";

    /// <summary>Whether a row is of prompts of one token. Those are decode with nothing cached, for the kernel (vllm-project/flash-attention, mha_varlen_fwd,
    /// takes the way of decode where the longest query has one token) as for the cost laws, and say nothing of prompts.</summary>
    public static bool IsOneTokenPrompt(AttentionRow row) => !row.Decode && row.Length == 1;

    public static AttentionShape ShapeOf(AttentionRow row)
    {
        double length = row.Decode ? row.Length + 1 : row.Length;
        var pairs = row.Batch * (row.Decode ? length : length * (length + 1) / 2);
        return new AttentionShape(row.Batch, row.Decode ? 1 : length, length, row.Heads, row.KeyValueHeads, AttentionTable.HeadSize, pairs, Precision.Bf16.Bits());
    }

    /// <summary>The constants that fit rows of decode best.</summary>
    public DecodeAttentionConstants FitDecode(IReadOnlyList<AttentionRow> rows)
    {
        var splits = Fit(Parameter.Known(0));
        var serial = Fit(new Parameter(20, 1, 1000));
        var (fit, best) = serial.Best.Loss < splits.Best.Loss ? serial : splits;
        var found = best.Constants;
        var memory = Rounded.AtMost(found.HbmTerabytesPerSecond, _sustained);
        return new DecodeAttentionConstants(
            Rounded.OrZero(found.FixedMicroseconds),
            Rounded.OrZero(found.SplitNanoseconds),
            Rounded.OrZero(found.CombineMicroseconds),
            Rounded.OrZero(found.RegroupMicroseconds),
            Rounded.OrZero(found.TileNanoseconds),
            Rounded.OrZero(found.SerialNanoseconds),
            memory,
            System.Math.Max(memory, Rounded.Digits(found.L2TerabytesPerSecond)),
            Residuals.Band(fit.CrossValidatedRatios(rows, best, Split.Folds(rows, Shape))));

        (RelativeFit<AttentionRow, DecodeAttentionConstants> Fit, FitResult<DecodeAttentionConstants> Best) Fit(Parameter serialNanoseconds)
        {
            var fit = new RelativeFit<AttentionRow, DecodeAttentionConstants>(
                [
                    Parameter.Microseconds(11), Parameter.Nanoseconds(50), Parameter.Microseconds(1), Parameter.Microseconds(1),
                    Parameter.Nanoseconds(30), serialNanoseconds, Parameter.MemoryRate(device.Hbm), new Parameter(2 * _nominal, 0.5 * _nominal, device.L2.MostTerabytesPerSecond(device.Hbm)),
                ],
                v => new DecodeAttentionConstants(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], s_none),
                (c, r) =>
                {
                    var shape = ShapeOf(r);
                    var hot = device.Residency.Share(shape.Bytes) * shape.Bytes;
                    return KernelTime.Picoseconds(DecodeAttentionLaw.Demand(shape, c), hot, shape.Bytes - hot) / 1e6;
                },
                r => r.Microseconds);
            return (fit, fit.Fit(rows));
        }
    }

    /// <summary>The constants that fit rows of prompts best.</summary>
    public PrefillAttentionConstants FitPrefill(IReadOnlyList<AttentionRow> rows)
    {
        var fit = new RelativeFit<AttentionRow, PrefillAttentionConstants>(
            [Parameter.Microseconds(11), Parameter.Rate(_peak, 0.6), Parameter.MemoryRate(device.Hbm, 0.5), Parameter.MemoryRate(device.Hbm, 0.3), Parameter.Rate(_peak, 0.8)],
            v => new PrefillAttentionConstants(v[0], v[1], v[2], v[3], v[4], s_none),
            (c, r) =>
            {
                var shape = ShapeOf(r);
                return KernelTime.Picoseconds(PrefillAttentionLaw.Demand(shape, c, multiprocessors), 0, shape.Bytes) / 1e6;
            },
            r => r.Microseconds);
        var best = fit.Fit(rows);
        var found = best.Constants;
        return new PrefillAttentionConstants(
            Rounded.OrZero(found.FixedMicroseconds),
            Rounded.AtMost(found.Teraflops, _peak),
            Rounded.AtMost(found.QueryTerabytesPerSecond, _sustained),
            Rounded.AtMost(found.KeyValueTerabytesPerSecond, _sustained),
            Rounded.AtMost(found.TileTeraflops, _peak),
            Residuals.Band(fit.CrossValidatedRatios(rows, best, Split.Folds(rows, Shape))));
    }
}
