using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Fits the constants of small operators.</summary>
/// <param name="device">The device.</param>
internal sealed class SmallOperatorFit(Device device)
{
    private readonly double _hbm = device.Hbm.NominalGigabytesPerSecond / 1000;

    /// <summary>The constants of an operator that fit its rows best.</summary>
    public SmallOperatorConstants Fit(SmallOperator kind, IReadOnlyList<SmallOperatorRow> rows)
    {
        // The addition spreads its elements; the others take a row in a block.
        var row = kind == SmallOperator.Add ? Parameter.Known(0) : Parameter.Nanoseconds(0.5);
        var fit = new RelativeFit<SmallOperatorRow, SmallOperatorConstants>(
            [Parameter.Microseconds(2), row, Parameter.Rate(_hbm, 0.5)],
            v => new SmallOperatorConstants(kind, v[0], v[1], v[2], new ResidualBand(1, 1)),
            (c, r) => KernelTime.Picoseconds(SmallOperatorLaw.Demand(c, r.Width, r.Bytes), 0, r.Bytes) / 1e6,
            r => r.Microseconds);
        var best = fit.Fit(rows);
        return new SmallOperatorConstants(
            kind,
            Rounded.OrZero(best.Constants.FixedMicroseconds),
            Rounded.OrZero(best.Constants.RowNanoseconds * 100) / 100,
            Rounded.AtMost(best.Constants.TerabytesPerSecond, _hbm),
            Residuals.Band(fit.CrossValidatedRatios(rows, best, r => r.Shape)));
    }
}

/// <summary>A measured small operator.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Line">Its line in the table.</param>
/// <param name="Tokens">Rows in the batch.</param>
/// <param name="Width">Elements of a row.</param>
/// <param name="Bytes">Bytes read and written.</param>
/// <param name="Microseconds">Its time.</param>
internal sealed record SmallOperatorRow(SmallOperator Kind, int Line, int Tokens, int Width, long Bytes, double Microseconds)
{
    public string Shape => $"{Kind} {Tokens} {Width}";

    /// <summary>The small operators of layers.</summary>
    public static IEnumerable<SmallOperatorRow> Of(LayerRow layer)
    {
        if (LayerShapes.Of(layer.Model) is not { } shapes)
            yield break;
        foreach (var (column, at) in LayerTable.Operators.Select((c, i) => (c, i)))
        {
            if (shapes.Operation(column, layer.Ranks, layer.Tokens) is not var (operation, bytes))
                continue;
            SmallOperatorRow? row = operation switch
            {
                NormOperation o => new(SmallOperator.Norm, layer.Line, o.Rows, o.Width, bytes, layer.Microseconds[at]),
                ElementwiseOperation { Function: ElementwiseFunction.Rotary } o => new(SmallOperator.Rotary, layer.Line, o.Rows, o.Width, bytes, layer.Microseconds[at]),
                ElementwiseOperation { Function: ElementwiseFunction.Add } o => new(SmallOperator.Add, layer.Line, o.Rows, o.Width, bytes, layer.Microseconds[at]),
                ElementwiseOperation o => new(SmallOperator.Activation, layer.Line, o.Rows, o.Width, bytes, layer.Microseconds[at]),
                _ => null,
            };
            if (row is not null)
                yield return row;
        }
    }
}
