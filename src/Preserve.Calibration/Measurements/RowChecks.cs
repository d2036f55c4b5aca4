using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Names the rows that cannot be, because something would be faster than the machine, and those known as outliers.</summary>
/// <param name="device">The machine.</param>
internal sealed class RowChecks(Device device)
{
    /// <summary>Weights that a measurement rotates, so that each is cold again when its turn comes.</summary>
    public const int RotatedWeights = 6;

    private readonly double _hbm = device.Hbm.NominalGigabytesPerSecond / 1000;
    private readonly double _l2 = (device.L2.CapacityMebibytes ?? 0) * (1 << 20);

    public string? Check(MatMulRow row)
    {
        var shape = new MatMulShape(row.Rows, row.Columns, row.Depth, row.Precision.Bits());
        var weight = shape.Columns * shape.Depth * shape.WeightBits / 8;
        // Bytes that no L2 can have kept.
        var fromMemory = row.Hot ? weight - _l2 : RotatedWeights * weight > _l2 * 2 ? weight : 0;
        return TooFast("computing", shape.Flops, row.Microseconds, device.Compute.TeraflopsOf(row.Precision, row.Precision), "TFLOP/s")
            ?? TooFast("reading the weight", fromMemory, row.Microseconds, _hbm, "TB/s");
    }

    public string? Check(AttentionRow row)
    {
        if (row.Heads % row.KeyValueHeads != 0)
            return $"{row.Heads} query heads do not share {row.KeyValueHeads} KV heads";
        var shape = AttentionFit.ShapeOf(row);
        return TooFast("computing", shape.Flops, row.Microseconds, device.Compute.Bf16Teraflops, "TFLOP/s")
            ?? TooFast("reading the cache", shape.KeyValueBytes - _l2, row.Microseconds, _hbm, "TB/s");
    }

    public string? Check(CollectiveRow row)
    {
        // Even a switch that reduces and multicasts sends a rank the sum; of an all-gather, all but its own part.
        var received = row.Operation == CollectiveTable.AllReduce ? row.Bytes : row.Bytes * (row.Ranks - 1.0) / row.Ranks;
        return Outlier(row) ?? TooFast("receiving", received, row.Microseconds, device.ScaleUp.GigabytesPerSecondPerDirection / 1000, "TB/s");
    }

    public string? Check(LayerRow row)
    {
        if (LayerShapes.Of(row.Model) is not { } shapes)
            return $"the widths of '{row.Model}' are not known";
        foreach (var (column, at) in LayerTable.Operators.Select((c, i) => (c, i)))
        {
            if (shapes.Operation(column, row.Ranks, row.Tokens) is not (MatMulOperation o, _))
                continue;
            var matMul = new MatMulRow(row.Line, row.System, Precision.Bf16, o.Rows, o.Columns, o.Depth, row.Microseconds[at], Hot: false);
            if (Check(matMul) is { } reason)
                return $"{column}: {reason}";
        }
        return null;
    }

    /// <summary>Rows that the notes of the tables name as outliers.</summary>
    private static string? Outlier(CollectiveRow row) => row switch
    {
        { System: "b200_sxm", Library: "vLLM_custom", Ranks: 8, Bytes: >= 256 << 10 and <= 512 << 10 } => "named as an outlier: B200, vLLM, 8 ranks, 256 to 512 KiB",
        { System: "a100_sxm", Library: "TRTLLM", Ranks: 8, Bytes: 1 << 20 } => "named as an outlier: A100, TensorRT-LLM, 8 ranks, 1 MiB",
        _ => null,
    };

    private static string? TooFast(string what, double amount, double microseconds, double peak, string unit)
    {
        var rate = amount / (microseconds * 1e6);
        return rate <= peak
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{what} at {rate:0.###} {unit}, but the machine's peak is {peak:0.###}");
    }
}
