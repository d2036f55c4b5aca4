using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Fits the constants of small operators.</summary>
/// <param name="device">The device.</param>
internal sealed class SmallOperatorFit(Device device)
{
    private readonly double _sustained = device.Hbm.SustainedGigabytesPerSecond / 1000;

    /// <summary>The constants of an operator that fit its rows best.</summary>
    public SmallOperatorConstants Fit(SmallOperator kind, IReadOnlyList<SmallOperatorRow> rows)
    {
        // The addition spreads its elements; the others take a row in a block.
        var row = kind == SmallOperator.Add ? Parameter.Known(0) : Parameter.Nanoseconds(0.5);
        var fit = new RelativeFit<SmallOperatorRow, SmallOperatorConstants>(
            [Parameter.Microseconds(2), row, Parameter.MemoryRate(device.Hbm, 0.5)],
            v => new SmallOperatorConstants(kind, v[0], v[1], v[2], new ResidualBand(1, 1)),
            (c, r) => KernelTime.Picoseconds(SmallOperatorLaw.Demand(c, r.Width, r.Bytes), 0, r.Bytes) / 1e6,
            r => r.Microseconds);
        var best = fit.Fit(rows);
        return new SmallOperatorConstants(
            kind,
            Rounded.OrZero(best.Constants.FixedMicroseconds),
            Rounded.OrZero(best.Constants.RowNanoseconds, least: 2e-5),
            Rounded.AtMost(best.Constants.TerabytesPerSecond, _sustained),
            Residuals.Band(fit.CrossValidatedRatios(rows, best, Split.Folds(rows, r => r.Shape))));
    }
}
