using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Preserve.Optimizer;

/// <summary>The graph as text and back, in the words of the plan's text: what pass tests compare and what one debugs with.</summary>
internal static class GraphText
{
    private const string MatrixWord = "matrix";

    private static readonly Dictionary<string, Distribution> _distributions = new(StringComparer.Ordinal)
    {
        ["whole"] = Distribution.Whole,
        ["split"] = Distribution.Split,
        ["partial"] = Distribution.Partial,
        ["scattered"] = Distribution.Scattered,
    };

    public static string Write(Graph graph)
    {
        var text = new StringBuilder();
        text.Append("graph  ").Append(graph.Step).Append("  ranks ").Append(graph.Ranks).Append("  arena ").Append(graph.ArenaBytes).Append('\n');
        foreach (var run in graph.Runs)
            text.Append("  run  layer ").Append(run.FirstLayer).Append("  pattern ").Append(run.PatternLength).Append("  repeats ").Append(run.Repeats).Append(" of ").Append(run.TotalRepeats).Append('\n');
        foreach (var fold in graph.Folds)
            text.Append("  fold  operator ").Append(fold.FirstOperator).Append("  operators ").Append(fold.OperatorCount).Append("  times ").Append(fold.Count).Append("  layer ").Append(fold.FirstLayer).Append("  stride ").Append(fold.Stride).Append('\n');
        AppendRows(text, "  tensors\n", graph.Tensors.Select(TensorColumns).ToList());
        AppendRows(text, "  operators\n", graph.Operators.Select(o => OperatorColumns(graph, o)).ToList());
        return text.ToString();
    }

    public static Graph Parse(string text)
    {
        var lines = text.Split('\n').Select(InstructionColumns.Split).Where(c => c.Count > 0 && !c[0].StartsWith("#", StringComparison.Ordinal)).ToList();
        var head = lines[0];
        var graph = new Graph(ParseStep(head[1]), Number(head[2], "ranks ")) { ArenaBytes = Number(head[3], "arena ") };
        var section = "";
        var windows = new List<(GraphOperator Prefetch, int Window)>();
        foreach (var columns in lines.Skip(1))
        {
            if (columns.Count == 1)
                section = columns[0];
            else if (columns[0] == "run")
                graph.Runs.Add(ParseRun(columns));
            else if (columns[0] == "fold")
                graph.Folds.Add(new FoldedRun(Number(columns[1], "operator "), Number(columns[2], "operators "), Number(columns[3], "times "), Number(columns[4], "layer "), Number(columns[5], "stride ")));
            else if (section == "tensors")
                graph.Add(ParseTensor(columns));
            else
                graph.Operators.Add(ParseOperator(graph, columns, windows));
        }
        foreach (var (prefetch, window) in windows)
            prefetch.Window = graph.Operators[window];
        return graph;
    }

    private static void AppendRows(StringBuilder text, string title, List<List<string>> rows)
    {
        text.Append(title);
        var widths = InstructionColumns.Widths(rows);
        foreach (var row in rows)
            text.Append("    ").Append(InstructionColumns.Join(row, widths)).Append('\n');
    }

    private static List<string> TensorColumns(GraphTensor tensor) =>
    [
        tensor.Name,
        tensor.IsMatrix ? MatrixWord : Names.Roles[tensor.Role],
        Names.Precisions[tensor.Format],
        tensor.UnitBytes == 1 ? tensor.Units.ToString() : $"{tensor.Units} x {tensor.UnitBytes}",
        tensor.IsOnHost ? Names.HostMemories[tensor.Memory] : tensor.BlockUnits > 0 ? $"blocks of {tensor.BlockUnits}" : tensor.Offset < 0 ? "unplaced" : $"at {tensor.Offset}",
        tensor.PerLayer ? "per layer" : "once",
    ];

    private static GraphTensor ParseTensor(List<string> columns)
    {
        var size = columns[3].Split([" x "], StringSplitOptions.None);
        return new GraphTensor(columns[0], columns[1] == MatrixWord ? TensorRole.Weight : Names.Roles.Parse(columns[1]), columns[5] == "per layer", Names.Precisions.Parse(columns[2]))
        {
            Units = Amount.Parse(size[0]),
            UnitBytes = size.Length == 2 ? long.Parse(size[1], CultureInfo.InvariantCulture) : 1,
            Offset = columns[4].StartsWith("at ", StringComparison.Ordinal) ? Number(columns[4], "at ") : -1,
            BlockUnits = columns[4].StartsWith("blocks of ", StringComparison.Ordinal) ? Number(columns[4], "blocks of ") : 0,
            Memory = columns[4].StartsWith("host ", StringComparison.Ordinal) ? Names.HostMemories.Parse(columns[4]) : TensorMemory.Device,
            IsMatrix = columns[1] == MatrixWord,
        };
    }

    private static List<string> OperatorColumns(Graph graph, GraphOperator op)
    {
        var columns = new List<string>
        {
            op.Stream is { } stream ? Names.Streams[stream] : "unassigned",
            op.Label,
            OperationText.Write(op.Operation),
            ReferenceText.WriteOperands(op.Reads.ConvertAll(r => r.ToReference()), op.Writes.Select(w => w.ToReference()).ToArray()),
            op.Layer < 0 ? "no layer" : $"layer {op.Layer}",
            WritePartition(op.Partition),
            _distributions.First(d => d.Value == op.Result).Key,
        };
        if (op.Window is { } window)
            columns.Add($"beside {graph.Operators.IndexOf(window)}");
        if (op.Waits.Count > 0)
            columns.Add($"after {string.Join(", ", op.Waits)}");
        if (op.Signals)
            columns.Add("signals");
        return columns;
    }

    private static GraphOperator ParseOperator(Graph graph, List<string> columns, List<(GraphOperator, int)> windows)
    {
        var (reads, writes) = ReferenceText.ParseOperands(columns[3]);
        var op = new GraphOperator(columns[1], columns[4] == "no layer" ? -1 : Number(columns[4], "layer "), OperationText.Parse(columns[2]))
        {
            Stream = columns[0] == "unassigned" ? null : Names.Streams.Parse(columns[0]),
            Reads = reads.Select(Of).ToList(),
            Writes = writes.Select(Of).ToList(),
            Partition = ParsePartition(columns[5]),
            Result = _distributions[columns[6]],
        };
        foreach (var column in columns.Skip(7))
        {
            if (column == "signals")
                op.Signals = true;
            else if (column.StartsWith("after ", StringComparison.Ordinal))
                op.Waits.AddRange(column.Substring("after ".Length).Split(',').Select(w => w.Trim()));
            else
                windows.Add((op, Number(column, "beside ")));
        }
        return op;

        GraphReference Of(TensorReference reference) => new(graph[reference.Tensor], reference.Layer, reference.Range);
    }

    private static string WritePartition(Partition partition) => partition switch
    {
        Partition.ByColumns => "columns",
        Partition.ByRows => "rows",
        Partition.ByVocabulary v => $"vocabulary {v.Vocabulary}",
        Partition.ByHeads h => $"heads {h.QueryHeads} {h.KeyValueHeads} {h.KeyValueParts} {h.HeadSize}",
        _ => "replicated",
    };

    private static Partition ParsePartition(string text) => text.Split(' ') switch
    {
        ["columns"] => Partition.Columns,
        ["rows"] => Partition.Rows,
        ["vocabulary", var v] => new Partition.ByVocabulary(Number(v, "")),
        ["heads", var q, var kv, var parts, var size] => new Partition.ByHeads(Number(q, ""), Number(kv, ""), Number(parts, ""), Number(size, "")),
        ["replicated"] => Partition.None,
        _ => throw new FormatException($"'{text}' is not a partition"),
    };

    private static StepSpec ParseStep(string text) => text.Split(' ') switch
    {
        ["decode", _, var batch, "context", var context] => new DecodeSpec(Number(batch, ""), Number(context, ""), Total: false),
        ["decode", _, var batch, "context", var context, _, var prompt] => new DecodeSpec(Number(batch, ""), Number(context, ""), Total: false, Number(prompt, "")),
        ["decode", _, var batch, "cached", var cached] => new DecodeSpec(Number(batch, ""), Number(cached, ""), Total: true),
        ["prefill", _, var batch, _, var tokens] => new PrefillSpec(Number(batch, ""), Number(tokens, "")),
        _ => throw new FormatException($"'{text}' is not a step"),
    };

    private static LayerRun ParseRun(List<string> columns)
    {
        var repeats = columns[3].Split(' ');
        return new LayerRun(Number(columns[1], "layer "), Number(columns[2], "pattern "), Number(repeats[1], ""), Number(repeats[3], ""));
    }

    private static int Number(string text, string prefix) => text.StartsWith(prefix, StringComparison.Ordinal)
        ? int.Parse(text.Substring(prefix.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
        : throw new FormatException($"'{text}' does not begin with '{prefix}'");
}
