using Preserve.Exploration;
using Spectre.Console;

namespace Preserve.Cli.Output;

/// <summary>A reproduction on the terminal.</summary>
internal static class ReproductionText
{
    /// <summary>Ends of the ranges of all-reduce time over prefetch time; symmetric about 1, by factors of the square root of 2.</summary>
    private static readonly double[] _ratios = [0.25, 0.3536, 0.5, 0.7071, 1, 1.4142, 2, 2.8284, 4];

    private static readonly string[] _mainColumns = ["ranks", "prefill ms", "decode ms", "collectives", "ratio"];

    public static void Print(ReproductionDocument d)
    {
        Console.WriteLine($"PRESERVE (arXiv 2501.08192) on ranks of {d.Device}, int8: end-to-end speed-up over the plan without prefetch; {d.Rows.Count} configurations ran, {d.NotRun.Count} cannot");
        PrintMain(d);
        PrintAll(d);
        PrintRange(d);
        PrintBalance(d);
        PrintLatency(d);
        PrintSensitivity(d);
        foreach (var group in d.NotRun.GroupBy(r => (r.Model, r.Ranks)))
            Console.WriteLine($"cannot run  {group.Key.Model} on {group.Key.Ranks}: {group.Count()}, such as batch {group.First().Batch} length {group.First().Length}: {group.First().Reason}");
        foreach (var note in d.Notes)
            Console.WriteLine($"note        {note}");
        foreach (var note in d.Assumed)
            Console.WriteLine($"assumed     {note.Field}: {note.Note}");
        foreach (var note in d.Doubtful)
            Console.WriteLine($"doubtful    {note.Field}: {note.Note}");
    }

    private static void PrintMain(ReproductionDocument d)
    {
        var rows = d.Rows.Where(r => r.Batch == Reproduction.MainBatch && r.Length == Reproduction.MainLength).ToList();
        if (rows.Count == 0)
            return;
        var table = Table($"batch {Reproduction.MainBatch}, length {Reproduction.MainLength}; ratio is the time of the collectives over that of the prefetches, in the last decode step", "model");
        foreach (var column in _mainColumns.Concat(rows[0].Techniques.Select(t => t.Name)))
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn(new TableColumn("best, decode").RightAligned());
        foreach (var r in rows)
        {
            table.AddRow([
                Short(r.Model), $"{r.Ranks}", $"{r.PrefillMilliseconds:#,0}", $"{r.DecodeMilliseconds:#,0}", $"{100 * r.CollectiveShare:0} %", $"{r.CollectiveToPrefetch:0.00}",
                .. r.Techniques.Select(t => Times(t.EndToEnd)), Times(r.Technique(Technique.Best).Decode)]);
        }
        AnsiConsole.Write(table);
    }

    private static void PrintAll(ReproductionDocument d)
    {
        var lengths = d.Rows.Select(r => r.Length).Distinct().Order().ToList();
        var table = Table("every configuration: paper, best, fused matmul", "model");
        table.AddColumn(new TableColumn("ranks").RightAligned()).AddColumn(new TableColumn("batch").RightAligned());
        foreach (var length in lengths)
            table.AddColumn(new TableColumn($"{length}").RightAligned());
        foreach (var group in d.Rows.GroupBy(r => (r.Model, r.Ranks, r.Batch)))
        {
            table.AddRow([
                Short(group.Key.Model), $"{group.Key.Ranks}", $"{group.Key.Batch}",
                .. lengths.Select(l => group.FirstOrDefault(r => r.Length == l) is { } r ? $"{r.Technique(Technique.Paper).EndToEnd:0.000} {r.Technique(Technique.Best).EndToEnd:0.000} {r.Technique(Technique.Fused).EndToEnd:0.000}" : "-")]);
        }
        AnsiConsole.Write(table);
    }

    private static void PrintRange(ReproductionDocument d)
    {
        if (d.Rows.Count == 0)
            return;
        var table = Table("over all configurations that ran", "technique");
        foreach (var column in new[] { "least", "half below", "most", "most, decode alone" })
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("where most");
        table.AddRow("published", Times(d.PublishedLeast), "", Times(d.PublishedMost), "", "");
        for (var i = 0; i < d.Rows[0].Techniques.Count; i++)
        {
            var sorted = d.Rows.OrderBy(r => r.Techniques[i].EndToEnd).ToList();
            var most = sorted[^1];
            table.AddRow(
                most.Techniques[i].Name, Times(sorted[0].Techniques[i].EndToEnd), Times(sorted[sorted.Count / 2].Techniques[i].EndToEnd), Times(most.Techniques[i].EndToEnd),
                Times(d.Rows.Max(r => r.Techniques[i].Decode)), $"{Short(most.Model)} on {most.Ranks}, batch {most.Batch}, length {most.Length}, all-reduce / prefetch {most.CollectiveToPrefetch:0.00}");
        }
        AnsiConsole.Write(table);
    }

    private static void PrintBalance(ReproductionDocument d)
    {
        var table = Table("by all-reduce time over prefetch time, all configurations", "all-reduce / prefetch");
        foreach (var column in new[] { "configurations", "paper, mean", "paper, most", "best, mean", "best, most", "best, decode, mean" })
            table.AddColumn(new TableColumn(column).RightAligned());
        for (var i = 0; i <= _ratios.Length; i++)
        {
            var (from, to) = (i == 0 ? 0 : _ratios[i - 1], i == _ratios.Length ? double.PositiveInfinity : _ratios[i]);
            var rows = d.Rows.Where(r => r.CollectiveToPrefetch >= from && r.CollectiveToPrefetch < to).ToList();
            if (rows.Count == 0)
                continue;
            var (paper, best) = (rows.Select(r => r.Technique(Technique.Paper)).ToList(), rows.Select(r => r.Technique(Technique.Best)).ToList());
            table.AddRow(
                i == 0 ? $"below {to:0.00}" : i == _ratios.Length ? $"{from:0.00} and more" : $"{from:0.00} to {to:0.00}", $"{rows.Count}",
                Times(paper.Average(t => t.EndToEnd)), Times(paper.Max(t => t.EndToEnd)), Times(best.Average(t => t.EndToEnd)), Times(best.Max(t => t.EndToEnd)), Times(best.Average(t => t.Decode)));
        }
        AnsiConsole.Write(table);
    }

    private static void PrintLatency(ReproductionDocument d)
    {
        if (d.OverLatency.Count == 0)
            return;
        var table = Table("over the time of a small all-reduce; * is the most", "model").AddColumn(new TableColumn("ranks").RightAligned()).AddColumn("");
        foreach (var microseconds in Reproduction.Latencies)
            table.AddColumn(new TableColumn($"{microseconds} us").RightAligned());
        foreach (var group in d.OverLatency.GroupBy(p => (p.Result.Model, p.Result.Ranks)))
        {
            var results = group.Select(p => p.Result).ToList();
            table.AddRow([Short(group.Key.Model), $"{group.Key.Ranks}", "all-reduce / prefetch", .. results.Select(r => $"{r.CollectiveToPrefetch:0.00}")]);
            foreach (var technique in new[] { Technique.Paper, Technique.Best })
            {
                var most = results.Max(r => r.Technique(technique).EndToEnd);
                table.AddRow(["", "", technique.Name, .. results.Select(r => r.Technique(technique).EndToEnd is var gain && gain == most ? $"* {Times(gain)}" : Times(gain))]);
            }
        }
        AnsiConsole.Write(table);
    }

    private static void PrintSensitivity(ReproductionDocument d)
    {
        if (d.Sensitivity.Count == 0)
            return;
        var models = d.Sensitivity.Select(s => (s.Result.Model, s.Result.Ranks)).Distinct().ToList();
        var table = Table("with one assumed or doubtful constant changed: paper, best", "constant").AddColumn("declared").AddColumn(new TableColumn("times").RightAligned());
        foreach (var (model, ranks) in models)
            table.AddColumn(new TableColumn($"{Short(model)} on {ranks}").RightAligned());
        table.AddRow(["as declared", "", "1", .. models.Select(m => Cell(d.Rows.FirstOrDefault(r => IsMain(r) && (r.Model, r.Ranks) == m)))]);
        foreach (var group in d.Sensitivity.GroupBy(s => (s.Constant, s.Declared, s.Factor)))
            table.AddRow([group.Key.Constant, Markup.Escape(group.Key.Declared), $"{group.Key.Factor}", .. models.Select(m => Cell(group.FirstOrDefault(s => (s.Result.Model, s.Result.Ranks) == m)?.Result))]);
        AnsiConsole.Write(table);

        static bool IsMain(ComparisonDocument r) => r.Batch == Reproduction.MainBatch && r.Length == Reproduction.MainLength;
        static string Cell(ComparisonDocument? r) => r is null ? "-" : $"{r.Technique(Technique.Paper).EndToEnd:0.000} {r.Technique(Technique.Best).EndToEnd:0.000}";
    }

    /// <summary>A table below its title.</summary>
    private static Table Table(string title, string first)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        return new Table().Border(TableBorder.Simple).AddColumn(first);
    }

    /// <summary>The name alone, without who made it and which of its editions it is.</summary>
    private static string Short(string model)
    {
        var name = model[(model.LastIndexOf('/') + 1)..];
        return Markup.Escape(name.EndsWith("-instruct", StringComparison.Ordinal) ? name[..^"-instruct".Length] : name);
    }

    private static string Times(double speedup) => $"{speedup:0.000}";
}
