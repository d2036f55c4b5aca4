using Spectre.Console;

namespace Preserve.Cli.Output;

/// <summary>An exploration on the terminal.</summary>
internal static class ExplorationText
{
    private static readonly string[] _costColumns = ["L2 MiB", "die mm2", "yield", "die $", "device $"];

    public static void Print(ExplorationDocument d)
    {
        Console.WriteLine($"{string.Join(", ", d.Models)} on {d.TensorParallel} x {d.Device}: {d.Phase} batch {d.Batch} context {d.Context}");
        Console.WriteLine($"cost model: {d.CostModel}; tokens and dollars of one device{(d.Models.Count > 1 ? ", geometric mean of the models" : "")}");
        PrintPoints(d);
        PrintPublished(d);
        PrintSensitivity(d);
        foreach (var note in d.Notes)
            Console.WriteLine($"note      {note}");
        foreach (var constant in d.Constants)
            Console.WriteLine($"{(constant.Assumed ? "assumed  " : "published")} {constant.Name} = {constant.Value}: {constant.Source}");
        foreach (var note in d.Assumed)
            Console.WriteLine($"assumed   {d.Device}: {note.Field}: {note.Note}");
        Console.WriteLine("left out  repair of defects in the L2, what a larger L2 does to its own rate and energy, design, power, boards, margins; only this one step is run");
    }

    private static void PrintPoints(ExplorationDocument d)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in _costColumns.Concat(d.Best.SelectMany(b => new[] { $"{b.Prefetch}: tokens/s", "per 1000 $" })))
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var p in d.Points)
        {
            string[] costs = [$"{p.L2Mebibytes:0.##}", Number(p.DieSquareMillimetres, "0"), Number(p.DieYield, "0.00"), Number(p.DieDollars, "0"), Number(p.Dollars, "0")];
            table.AddRow([.. costs, .. p.Runs.SelectMany(r => new[] { $"{r.TokensPerSecond:0.00}", Number(1000 * r.TokensPerSecondPerDollar, "0.00") + (IsBest(r, p) ? " *" : "") })]);
        }
        AnsiConsole.Write(table);
        if (d.Points.Any(p => p.Dollars is null))
            Console.WriteLine("-: the die would be larger than a reticle");
        Console.WriteLine(Band(d));
        if (d.Points.All(p => p.Runs[1].TokensPerSecond == p.Runs[2].TokensPerSecond))
            Console.WriteLine("best takes as long as paper at every size");

        bool IsBest(L2RunDocument run, L2PointDocument point) => d.Best.Any(b => b.Prefetch == run.Prefetch && b.L2Mebibytes == point.L2Mebibytes);
    }

    private static string Band(ExplorationDocument d)
    {
        var runs = d.Points.SelectMany(p => p.Runs).ToList();
        if (runs.Exists(r => r.TokensPerSecondLow is null))
            return $"no band; not measured on {d.Device}: {string.Join(", ", d.Unmeasured)}";
        var part = d.Unmeasured.Count > 0 ? $", of the measured part alone, which leaves out {string.Join(", ", d.Unmeasured)}" : "";
        return FormattableString.Invariant(
            $"four of five tokens/s lie between {100 * (1 - runs.Min(r => r.TokensPerSecondLow / r.TokensPerSecond)):0.0} % less and {100 * (runs.Max(r => r.TokensPerSecondHigh / r.TokensPerSecond) - 1):0.0} % more, at the widest{part}; of the L2 only its own size was measured");
    }

    private static void PrintPublished(ExplorationDocument d)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("at the most tokens/s per $", "published");
        foreach (var best in d.Best)
            table.AddColumn(new TableColumn(best.Prefetch).RightAligned());
        table.AddRow(["best L2 (published in MB, here in MiB)", $"{d.Published.BestMegabytesWithoutPrefetch:0} without, {d.Published.BestMegabytesWithPrefetch:0} with prefetch", .. d.Best.Select(Size)]);
        table.AddRow(["times the best without prefetch", $"{d.Published.Gain:0.00}", .. d.Best.Select(b => Number(b.Gain, "0.000"))]);
        AnsiConsole.Write(table);
        if (d.Best.Any(b => b.AtEdge))
            Console.WriteLine("(edge): the smallest or largest size of the sweep, the best may lie beyond");
    }

    private static void PrintSensitivity(ExplorationDocument d)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("assumed constant", "times");
        foreach (var column in d.Best.SelectMany(b => new[] { $"{b.Prefetch}: best L2", "gain" }))
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in d.Sensitivity)
            table.AddRow([Markup.Escape(row.Constant), Number(row.Factor, "0.0"), .. row.Best.SelectMany(b => new[] { Size(b), Number(b.Gain, "0.000") })]);
        AnsiConsole.Write(table);
        if (d.Best.Concat(d.Sensitivity.SelectMany(s => s.Best)).Any(b => b.AtReticle))
            Console.WriteLine("(reticle): the next larger size cannot be made, its die would be larger than a reticle");
    }

    private static string Size(BestDocument best) => Number(best.L2Mebibytes, "0.##") + (best.AtEdge ? " (edge)" : "") + (best.AtReticle ? " (reticle)" : "");

    private static string Number(double? value, string format) => value?.ToString(format, System.Globalization.CultureInfo.InvariantCulture) ?? "-";
}
