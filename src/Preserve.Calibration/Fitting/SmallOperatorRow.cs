using System.Collections.Generic;
using System.Linq;

namespace Preserve;

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
