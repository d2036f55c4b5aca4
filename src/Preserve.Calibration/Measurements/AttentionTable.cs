using System.Collections.Generic;

namespace Preserve;

/// <summary>Tables of measured attention, with heads of 128 elements in bf16.</summary>
internal static class AttentionTable
{
    public const int HeadSize = DeviceCalibration.MeasuredHeadSize;

    private const int MostSequences = 1 << 20, MostTokens = 1 << 26, MostHeads = 4096;

    private static readonly string[] s_header = ["system", "kind", "kernel", "batch", "len", "q_heads", "kv_heads", "us"];

    public static List<AttentionRow> Read(TableReader table)
    {
        var rows = new List<AttentionRow>();
        foreach (var row in table.Rows(s_header))
        {
            var read = new AttentionRow(
                row.Line,
                row.Text("system"),
                row.Name("kind", ("generation", true), ("context", false)),
                row.Text("kernel"),
                row.Count("batch", MostSequences),
                row.Count("len", MostTokens),
                row.Count("q_heads", MostHeads),
                row.Count("kv_heads", MostHeads),
                row.Microseconds("us"));
            if (row.Sound)
                rows.Add(read);
        }
        return rows;
    }
}
