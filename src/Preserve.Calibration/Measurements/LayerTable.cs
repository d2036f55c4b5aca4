using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Tables of measured decoder layers, operator by operator.</summary>
public static class LayerTable
{
    private static readonly string[] s_keys = ["device", "model", "tp", "tokens"];

    /// <summary>The operators, in the order of the table.</summary>
    public static IReadOnlyList<string> Operators { get; } =
    [
        "emb", "input_layernorm", "attn_pre_proj", "attn_rope", "attn_post_proj", "post_attention_layernorm", "mlp_up_proj", "mlp_act", "mlp_down_proj", "add",
    ];

    internal static List<LayerRow> Read(TableReader table)
    {
        var rows = new List<LayerRow>();
        var times = Operators.Select(o => o + "_us").ToArray();
        foreach (var row in table.Rows([.. s_keys, .. times]))
        {
            var read = new LayerRow(
                row.Line,
                row.Text("device"),
                row.Text("model"),
                row.Count("tp", 1 << 10),
                row.Count("tokens", 1 << 24),
                times.Select(row.Microseconds).ToArray());
            if (row.Sound)
                rows.Add(read);
        }
        return rows;
    }
}
