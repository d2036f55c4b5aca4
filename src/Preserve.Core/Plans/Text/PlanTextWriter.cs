using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Preserve;

/// <summary>Prints plans. Columns are parted by two blanks or more, words within a column by one.</summary>
internal sealed class PlanTextWriter
{
    private readonly StringBuilder _text = new();

    public string Write(PlanSet plans)
    {
        WriteVersion();
        foreach (var step in plans.Steps)
        {
            Line("");
            WritePlan(step.Plan);
            WriteReport(step.Report);
        }
        if (plans.DeviceFile is { } file)
        {
            Line("");
            Line("device file");
            foreach (var line in file.Replace("\r\n", "\n").Split('\n'))
                Line("  | " + line);
        }
        return _text.ToString();
    }

    public string Write(ExecutionPlan plan)
    {
        WriteVersion();
        Line("");
        WritePlan(plan);
        return _text.ToString();
    }

    private void WriteVersion() => Line($"{PlanText.VersionLine} {PlanText.Version}");

    private void WritePlan(ExecutionPlan plan)
    {
        WriteLegend(plan);
        Line($"plan  {plan.Step}");
        Columns("  ", [
            ["model", plan.Model],
            ["device", plan.Device],
            ["ranks", Number(plan.Ranks)],
            ["layers", Number(plan.Layers)],
            ["policy", Names.Policies[plan.Policy]],
            ["prefetch room", Number(plan.PrefetchRoomBytes)],
            ["arena", Number(plan.ArenaBytes)],
        ]);

        Line("");
        Line("  tensors");
        Columns("    ", plan.Tensors.Select(t => new List<string>
        {
            t.Name,
            Names.Roles[t.Role],
            Names.Precisions[t.Format],
            t.UnitBytes == 1 ? $"{t.Units} bytes" : $"{t.Units} tokens x {Number(t.UnitBytes)} bytes",
            t.Role == TensorRole.Value ? $"at {Number(t.Offset)}" : "in memory",
            t.PerLayer ? "per layer" : "once",
        }).ToList());

        Line("");
        Line("  instructions");
        var widths = InstructionColumns.Widths(plan.Instructions().Select(InstructionColumns.Of).ToList());
        WriteNodes(plan.Body, "    ", widths);
    }

    private void WriteLegend(ExecutionPlan plan)
    {
        var context = plan.Step.ContextIsTotal
            ? "c is the context: the tokens that all sequences together have cached before the step."
            : "c is the context: the tokens that each sequence has cached before the step.";
        Line($"# What each of the {plan.Ranks} ranks does in one step, from top to bottom. {(plan.Step is PrefillSpec ? "" : context)}".TrimEnd());
        Line("# Each line: stream, label, operation, what it reads -> what it writes. Streams run side by side; on one stream,");
        Line("# instructions run in order. 'after x' waits for the last x above that 'signals'. Inside a repeat, i is the layer");
        Line("# and i+1.x is the x of the layer after it; 3.x is that of layer 3. A prefetch reads into the L2; nobody waits for it.");
    }

    private void WriteNodes(EquatableArray<PlanNode> nodes, string indent, int[] widths)
    {
        foreach (var node in nodes)
        {
            if (node is Repeat repeat)
            {
                Line(repeat.Stride == 1
                    ? $"{indent}repeat {repeat.Count} times  layer i from {repeat.FirstLayer}"
                    : $"{indent}repeat {repeat.Count} times  layer i from {repeat.FirstLayer} by {repeat.Stride}");
                WriteNodes(repeat.Body, indent + "  ", widths);
                Line(indent + "end");
            }
            else
            {
                Line(indent + InstructionColumns.Join(InstructionColumns.Of((Instruction)node), widths));
            }
        }
    }

    private void WriteReport(PlanReport report)
    {
        Line("");
        Line(report.Windows.Count == 0
            ? "  # At the largest context, in picoseconds."
            : "  # At the largest context, in picoseconds. A window is a collective; the tensors below it are read before the next one.");
        Line("  report");
        Columns("    ", [
            ["base", Number(report.BasePicoseconds)],
            ["step", Number(report.StepPicoseconds)],
            ["bound", Number(report.BoundPicoseconds)],
            ["bound by", report.BoundBy],
            ["collective", Number(report.CollectivePicoseconds)],
            ["reachable", Number(report.ReachablePicoseconds)],
            ["weight bytes", Number(report.WeightBytes)],
            ["kv bytes", Number(report.KeyValueBytes)],
        ]);
        var candidates = report.Windows.SelectMany(w => w.Candidates).Select(CandidateColumns).ToList();
        var widths = InstructionColumns.Widths(candidates);
        foreach (var window in report.Windows)
        {
            var layers = window.FirstLayer < 0 ? "outside the layers"
                : window.FirstLayer == window.LastLayer ? $"layer {window.FirstLayer}"
                : window.Stride == 1 ? $"layers {window.FirstLayer} to {window.LastLayer}"
                : $"layers {window.FirstLayer} to {window.LastLayer} by {window.Stride}";
            Line($"    window  {window.Collective}  {layers}  takes {Number(window.WindowPicoseconds)}  hides {Number(window.HiddenPicoseconds)}  saves {Number(window.SavedPicoseconds)}");
            foreach (var candidate in window.Candidates)
                Line("      " + InstructionColumns.Join(CandidateColumns(candidate), widths));
        }
    }

    private static List<string> CandidateColumns(CandidateReport candidate) =>
    [
        Names.Verdicts[candidate.Verdict],
        ReferenceText.Write(candidate.Tensor),
        $"{Number(candidate.PrefetchedBytes)} of {Number(candidate.Bytes)}",
        candidate.Reason,
    ];

    private void Columns(string indent, List<List<string>> rows)
    {
        var widths = InstructionColumns.Widths(rows);
        foreach (var row in rows)
            Line(indent + InstructionColumns.Join(row, widths));
    }

    private void Line(string line) => _text.Append(line).Append('\n');

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
