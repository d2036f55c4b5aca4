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
    private readonly double _l2Rate = device.L2.MostTerabytesPerSecond(device.Hbm);

    public string? Check(MatMulRow row)
    {
        var shape = new MatMulShape(row.Rows, row.Columns, row.Depth, row.Precision.Bits());
        return TooFast("computing", shape.Flops, row.Microseconds, device.Compute.TeraflopsOf(row.Precision, row.Precision), "TFLOP/s")
            ?? TooFast("reading the weight", FromMemory(row), row.Microseconds, _hbm, "TB/s")
            ?? TooFastForL2(shape.Bytes, row.Microseconds);
    }

    public string? Check(AttentionRow row)
    {
        if (row.Heads % row.KeyValueHeads != 0)
            return $"{row.Heads} query heads do not share {row.KeyValueHeads} KV heads";
        var shape = AttentionFit.ShapeOf(row);
        return TooFast("computing", shape.Flops, row.Microseconds, device.Compute.Bf16Teraflops, "TFLOP/s")
            ?? TooFast("reading the cache", FromMemory(row), row.Microseconds, _hbm, "TB/s")
            ?? TooFastForL2(shape.Bytes, row.Microseconds);
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
            var reason = shapes.Operation(column, row.Ranks, row.Tokens) switch
            {
                (MatMulOperation o, _) => Check(new MatMulRow(row.Line, row.System, Precision.Bf16, o.Rows, o.Columns, o.Depth, row.Microseconds[at], Hot: false)),
                (_, var bytes) => TooFast("reading and writing", bytes - _l2, row.Microseconds[at], _hbm, "TB/s") ?? TooFastForL2(bytes, row.Microseconds[at]),
                null => null,
            };
            if (reason is not null)
                return $"{column}: {reason}";
        }
        return null;
    }

    /// <summary>Bytes of a weight that memory must have given, whatever the L2 kept: of the rotated copies it keeps one capacity in all. Where they
    /// are twice as large as it is, none of a copy is left when its turn comes.</summary>
    public double FromMemory(MatMulRow row)
    {
        var weight = Calibrator.WeightBytes(row);
        return row.Hot ? weight - _l2 : RotatedWeights * weight > _l2 * 2 ? weight : weight - (_l2 / RotatedWeights);
    }

    /// <summary>Bytes of a cache that memory must have given.</summary>
    public double FromMemory(AttentionRow row) => AttentionFit.ShapeOf(row).KeyValueBytes - _l2;

    /// <summary>Rows that the notes of the tables name as outliers.</summary>
    private static string? Outlier(CollectiveRow row) => row switch
    {
        { System: "b200_sxm", Library: "vLLM_custom", Ranks: 8, Bytes: >= 256 << 10 and <= 512 << 10 } => "named as an outlier: B200, vLLM, 8 ranks, 256 to 512 KiB",
        { System: "a100_sxm", Library: "TRTLLM", Ranks: 8, Bytes: 1 << 20 } => "named as an outlier: A100, TensorRT-LLM, 8 ranks, 1 MiB",
        _ => null,
    };

    private string? TooFastForL2(double bytes, double microseconds) =>
        TooFast("moving all bytes", bytes, microseconds, _l2Rate, "TB/s", "an L2 beside its memory gives at most");

    private static string? TooFast(string what, double amount, double microseconds, double peak, string unit, string bound = "the machine's peak is")
    {
        var rate = amount / (microseconds * 1e6);
        return rate <= peak
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{what} at {rate:0.###} {unit}, but {bound} {peak:0.###}");
    }
}
