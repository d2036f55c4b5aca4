using System.Collections.Generic;

namespace Preserve;

/// <summary>Tables of measured matrix multiplications.</summary>
internal static class MatMulTable
{
    private const int MostElements = 1 << 24;

    private static readonly string[] s_header = ["system", "vllm", "dtype", "m", "n", "k", "us"];
    private static readonly string[] s_hotHeader = ["m", "n", "k", "us"];

    public static List<MatMulRow> Read(TableReader table)
    {
        var rows = new List<MatMulRow>();
        foreach (var row in table.Rows(s_header))
        {
            var precision = row.Name("dtype", ("bfloat16", Precision.Bf16), ("fp8", Precision.Fp8), ("int8", Precision.Int8));
            Add(rows, row, row.Text("system"), precision, hot: false);
        }
        return rows;
    }

    /// <summary>A table of one system with the weights in the L2.</summary>
    public static List<MatMulRow> ReadHot(TableReader table, string system)
    {
        var rows = new List<MatMulRow>();
        foreach (var row in table.Rows(s_hotHeader))
            Add(rows, row, system, Precision.Bf16, hot: true);
        return rows;
    }

    private static void Add(List<MatMulRow> rows, TableRow row, string system, Precision precision, bool hot)
    {
        var read = new MatMulRow(
            row.Line, system, precision, row.Count("m", MostElements), row.Count("n", MostElements), row.Count("k", MostElements), row.Microseconds("us"), hot);
        if (row.Sound)
            rows.Add(read);
    }
}
