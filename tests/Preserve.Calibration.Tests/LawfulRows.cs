namespace Preserve.Calibration.Tests;

/// <summary>Rows of the system <c>mine</c> that take what laws say, without noise.</summary>
internal static class LawfulRows
{
    /// <summary>Matmuls of a device.</summary>
    public static List<MatMulRow> MatMuls(Device device)
    {
        var (made, multiprocessors) = (device.Calibration!.MatMul[0], device.Calibration.Multiprocessors);
        var rows = new List<MatMulRow>();
        foreach (var columns in new[] { 512, 1024, 2048, 4096, 6144, 8192, 12_288, 16_384 })
        {
            foreach (var depth in new[] { 512, 1024, 2048, 4096, 8192, 16_384 })
            {
                foreach (var m in new[] { 1, 16, 64, 512, 4096 })
                {
                    var shape = new MatMulShape(m, columns, depth, 16);
                    var small = RowChecks.RotatedWeights * 2.0 * columns * depth <= device.Residency.FullBytes;
                    var demand = m <= 64
                        ? StreamingMatMulLaw.Demand(shape, made.Streaming, multiprocessors, device.Compute.Bf16Teraflops)
                        : TiledMatMulLaw.Demand(shape, Precision.Bf16, made.Tiled, multiprocessors, made.Streaming.L2TerabytesPerSecond);
                    var hot = m <= 64 && small ? shape.Bytes : 0;
                    rows.Add(new MatMulRow(rows.Count + 3, "mine", Precision.Bf16, m, columns, depth, KernelTime.Picoseconds(demand, hot, shape.Bytes - hot) / 1e6, false));
                }
            }
        }
        return rows;
    }

    /// <summary>A row of attention with its time on a device, resident where it has one token.</summary>
    public static AttentionRow Timed(AttentionRow row, Device device)
    {
        var (made, shape) = (device.Calibration!, AttentionFit.ShapeOf(row));
        var demand = shape.NewTokens == 1 ? DecodeAttentionLaw.Demand(shape, made.Decode!) : PrefillAttentionLaw.Demand(shape, made.Prefill!, made.Multiprocessors);
        var hot = shape.NewTokens == 1 ? device.Residency.Share(shape.Bytes) * shape.Bytes : 0;
        return row with { Microseconds = KernelTime.Picoseconds(demand, hot, shape.Bytes - hot) / 1e6 };
    }

    /// <summary>Twelve sizes of an all-reduce over 8 ranks, to 16 MiB; one in five is held out.</summary>
    public static IEnumerable<CollectiveRow> AllReduces(string library) => Enumerable.Range(0, 12).Select(i => AllReduce(library, 8192L << i));

    /// <summary>An all-reduce over 8 ranks that takes 15 us and what its bytes take at 300 GB/s.</summary>
    public static CollectiveRow AllReduce(string library, long bytes) =>
        new(2, "mine", library, LaunchMode.Graph, CollectiveTable.AllReduce, 8, bytes, 15 + (1.75 * bytes / 300e3));
}
