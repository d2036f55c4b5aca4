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
            WriteReport(step.Report, step.Plan.Step.MaxContext);
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

    private void WriteVersion()
    {
        Line($"{PlanText.VersionLine} {PlanText.Version}");
        Line("");
        WriteLegend();
    }

    private void WritePlan(ExecutionPlan plan)
    {
        Line($"plan  {plan.Step}");
        Columns("  ", [
            ["model", plan.Model],
            ["device", plan.Device],
            ["ranks", Number(plan.Ranks)],
            ["layers", Number(plan.Layers)],
            .. plan.Batches == 1 ? Array.Empty<List<string>>() : [["batches", Number(plan.Batches)]],
            ["policy", Names.Policies[plan.Policy]],
            ["prefetch room", Bytes(plan.PrefetchRoomBytes)],
            ["arena", Bytes(plan.ArenaBytes)],
        ]);
        if (plan.Batches > 1)
            Line("  # Each layer serves all batches before the next layer does: x@2 is the x of batch 2, counted from 0, and what has no @ is for all.");

        Line("");
        Line("  tensors");
        Columns("    ", plan.Tensors.Select(t => new List<string>
        {
            t.Name,
            Names.Roles[t.Role],
            Names.Precisions[t.Format],
            t.UnitBytes != 1 ? $"{t.Units} tokens x {Bytes(t.UnitBytes)}" : t.Units.IsConstant ? Bytes(t.Units.At(0)) : $"{t.Units} bytes",
            t.OnHost ? Names.HostMemories[t.Memory] : t.Role == TensorRole.Value ? $"arena {Number(t.Offset)}" : t.BlockUnits > 0 ? $"blocks of {Number(t.BlockUnits)}" : "own buffer",
            t.PerLayer ? "per layer" : "once",
        }).ToList());

        Line("");
        Line("  instructions");
        var tensors = plan.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        var widths = InstructionColumns.Widths(plan.Instructions().Select(i => InstructionColumns.Of(i, tensors)).ToList());
        WriteNodes(plan.Body, tensors, "    ", widths);
    }

    private void WriteLegend()
    {
        Line("# Each plan is what every rank does in one step, from top to bottom. c is the context: the tokens that each sequence has cached before the");
        Line("# step, or all sequences together where the step says 'cached'. A line: stream, label, operation, what it reads -> what it writes, what it");
        Line("# waits for, and 'signals' where others wait for it. Streams run side by side; on one stream, lines run in order, each when the one above it");
        Line("# has ended. 'after x' waits until the last x that signals and ran before has ended; 'wait' does nothing else. In a repeat, i.x is the x of");
        Line("# layer i and i+1.x that of the layer after it; 3.x is that of layer 3. The last layer hands on the h of the layer after it.");
        Line("# x[a:b] is x from a to b, b itself not included: tokens of a cache, each with the bytes of all sequences, and bytes of all else. A size of a line");
        Line("# may depend on c and has no commas: 2c+2 is twice c and 2, {c+1; c>=4095: 4096} is c+1 below a context of 4095 and 4096 from there on. pairs:");
        Line("# how often attention compares a query with a key, of one head over all sequences. store: writes the new keys and values to the cache.");
        Line("# 'arena n' is byte n of the memory that all values share, for the values of one name in every layer; what has its 'own buffer' shares it with");
        Line("# nothing. A cache in blocks has a table of where they lie: the host writes it before the step, and every line that uses the cache reads it.");
        Line("# A prefetch reads from memory into the L2, and nobody waits for it: what has not arrived when it is needed is read from memory. At most");
        Line("# 'prefetch room' bytes are prefetched and not yet read. What is prefetched and read by no line below is for the next step.");
        Line("#");
        Line("# A report is what the model of the device expects of a plan, in a row of such steps. base: the step with nothing prefetched and, where the");
        Line("# cache lies in the host's memory, all of it transferred. bound: what no plan of the same operators can beat, and what makes it. collectives:");
        Line("# the time of base in which nothing else runs. reachable: what the bytes that memory can bring in that time would save. elsewhere: how long");
        Line("# prefetches run while no collective does, which can save more. gain at half, at twice: what the plan saves when each collective takes half or");
        Line("# twice its time. guard: 'kept' where the gain is sure, behind it the range that holds it with 80 %; 'nominal' where too little of the step is");
        Line("# measured to say so; 'refused' where it is not sure and nothing is prefetched; 'nothing-to-gain' where no prefetch saves time. pauses: contexts at which nothing");
        Line("# is prefetched, because what gains at the largest costs time there.");
        Line("# A window is the time of a collective, or of a kernel that leaves memory idle for a while. takes: that time. hides: how much of it prefetches");
        Line("# run, those of this window or of one before. saves: what the step would take longer without this window's prefetches; below 0 they cost time.");
        Line("# Windows share savings: they need not add up. Below a window stand the tensors that are read after it and before the next collective, and");
        Line("# what else is prefetched in it: how many of their bytes are, and why not more. What begins in a window may run on after it.");
    }

    private void WriteNodes(EquatableArray<PlanNode> nodes, Dictionary<string, TensorDeclaration> tensors, string indent, int[] widths)
    {
        foreach (var node in nodes)
        {
            if (node is Repeat repeat)
            {
                var last = repeat.FirstLayer + ((repeat.Count - 1) * repeat.Stride);
                Line($"{indent}repeat {repeat.Count} times  layers i = {repeat.FirstLayer} to {last}{(repeat.Stride == 1 ? "" : $" by {repeat.Stride}")}");
                WriteNodes(repeat.Body, tensors, indent + "  ", widths);
                Line(indent + "end");
            }
            else
            {
                Line(indent + InstructionColumns.Join(InstructionColumns.Of((Instruction)node, tensors), widths));
            }
        }
    }

    private void WriteReport(PlanReport report, int context)
    {
        Line("");
        if (context > 0)
            Line($"  # At context {Number(context)}.");
        Line("  report");
        Columns("    ", [
            ["base", Time(report.BasePicoseconds)],
            ["step", Time(report.StepPicoseconds)],
            ["bound", Time(report.BoundPicoseconds)],
            ["bound by", report.BoundBy],
            ["collectives", Time(report.CollectivePicoseconds)],
            ["reachable", Time(report.ReachablePicoseconds)],
            ["elsewhere", Time(report.ElsewherePicoseconds)],
            ["gain at half", Time(report.GainAtHalfPicoseconds)],
            ["gain at twice", Time(report.GainAtTwicePicoseconds)],
            .. report.Guard is null ? Array.Empty<List<string>>() : [["guard", Guard(report.Guard)]],
            .. report.Pauses.Count == 0 ? Array.Empty<List<string>>() : [["pauses", string.Join(", ", report.Pauses.Select(p => $"{Number(p.First)} to {Number(p.Last)}"))]],
            ["weights", Bytes(report.WeightBytes)],
            ["kv-cache", Bytes(report.KeyValueBytes)],
            .. report.Split is { } split ? [["split", Names.SplitOutcomes[split.Outcome]], ["recomputed", $"{Number(split.RecomputedTokens)} tokens"], ["of a token", $"{Number(split.ActivationBytes)} of {Number(split.KeyValueBytes)} bytes"], ["because", split.Reason]] : Array.Empty<List<string>>(),
        ]);
        var candidates = report.Windows.SelectMany(w => w.Candidates).Select(CandidateColumns).ToList();
        var widths = InstructionColumns.Widths(candidates);
        foreach (var window in report.Windows)
        {
            var layers = window.FirstLayer < 0 ? "outside the layers"
                : window.FirstLayer == window.LastLayer ? $"layer {window.FirstLayer}"
                : window.Stride == 1 ? $"layers {window.FirstLayer} to {window.LastLayer}"
                : $"layers {window.FirstLayer} to {window.LastLayer} by {window.Stride}";
            var many = window.FirstLayer != window.LastLayer;
            var each = many ? " each" : "";
            Line($"    window  {window.Host}  {layers}  takes {Time(window.WindowPicoseconds)}{each}  hides {Time(window.HiddenPicoseconds)}{each}  saves {Time(window.SavedPicoseconds)}{(many ? " together" : "")}");
            foreach (var candidate in window.Candidates)
                Line("      " + InstructionColumns.Join(CandidateColumns(candidate), widths));
        }
    }

    private static string Guard(GuardReport guard) => guard is { LowPicoseconds: { } low, HighPicoseconds: { } high }
        ? $"{Names.GuardOutcomes[guard.Outcome]} at {Time(low)} to {Time(high)}"
        : Names.GuardOutcomes[guard.Outcome];

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

    private static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Bytes(long value) => Number(value) + " bytes";

    /// <summary>Picoseconds as microseconds; all digits, so that reading gives them back.</summary>
    private static string Time(long picoseconds) => (picoseconds / 1_000_000m).ToString("#,0.000000", CultureInfo.InvariantCulture) + " us";
}
