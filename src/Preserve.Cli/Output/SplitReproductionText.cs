using Spectre.Console;

namespace Preserve.Cli.Output;

/// <summary>A reproduction of the published split on the terminal.</summary>
internal static class SplitReproductionText
{
    public static void Print(SplitReproductionDocument d)
    {
        if (d.Latencies.Count > 0)
            PrintLatencies(d);
        if (d.Throughputs.Count > 0)
            PrintThroughputs(d.Throughputs);
        foreach (var note in d.Notes)
            Console.WriteLine($"reading   {note}");
        foreach (var note in d.Assumed)
            Console.WriteLine($"assumed   {note.Field}: {note.Note}");
        foreach (var note in d.Doubtful)
            Console.WriteLine($"doubtful  {note.Field}: {note.Note}");
    }

    private static void PrintThroughputs(IReadOnlyList<ReproducedThroughputDocument> rows)
    {
        Console.WriteLine($"column by column, {rows[0].Batches} batches of {rows[0].Batch}: tokens per second, with all of the KV-cache transferred -> with a part recomputed");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("device").AddColumn("model").AddColumn(new TableColumn("prompt/tokens").RightAligned());
        foreach (var column in new[] { "published", "gain", "modelled as published", "off by", "gain", "kernels run", "optimised", "gain", "kernels run", "recomputed", "by formula" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in rows)
        {
            table.AddRow(
                row.Device, row.Model, $"{row.Prompt}/{row.Tokens}", row.PublishedBaseline is null ? "" : $"{row.PublishedBaseline:0.000} -> {row.PublishedSplit:0.000}",
                row.PublishedGainPercent is { } gain ? $"{gain:+0.0;-0.0} %" : $"at most {row.PublishedMostGainPercent:+0.0;-0.0} %",
                $"{row.ModelledBaseline:0.000} -> {row.ModelledSplit:0.000}",
                row.BaselineErrorPercent is { } error ? $"{error:+0.0;-0.0} %, {row.SplitErrorPercent:+0.0;-0.0} %" : "", $"{row.ModelledGainPercent:+0.0;-0.0} %", Modelled(row.UtilisationPercent),
                $"{row.OptimisedBaseline:0.000} -> {row.OptimisedSplit:0.000}", $"{row.OptimisedGainPercent:+0.0;-0.0} %", Optimised(row.UtilisationPercent),
                $"{row.FirstRecomputedTokens} to {row.Split?.RecomputedTokens}", Range(row.PublishedOptimum));
        }
        AnsiConsole.Write(table);
    }

    private static void PrintLatencies(SplitReproductionDocument d)
    {
        Console.WriteLine($"KVPR (arXiv 2411.17089) on {d.Device}, fp16, batch {d.Latencies[0].Batch}, row by row: seconds of the decode steps, with all of the KV-cache transferred -> with a part recomputed");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("model").AddColumn(new TableColumn("prompt/tokens").RightAligned());
        foreach (var column in new[] { "published", "modelled as published", "off by", "kernels run", "optimised", "times as fast", "kernels run", "recomputed", "by formula" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in d.Latencies)
        {
            table.AddRow(
                row.Model, $"{row.Prompt}/{row.Tokens}{(row.Note is null ? "" : " *")}", $"{row.PublishedBaseline:0.000} -> {row.PublishedSplit:0.000}",
                $"{row.ModelledBaseline:0.000} -> {row.ModelledSplit:0.000}", $"{row.BaselineErrorPercent:+0.0;-0.0} %, {row.SplitErrorPercent:+0.0;-0.0} %", Modelled(row.UtilisationPercent),
                $"{row.OptimisedBaseline:0.000} -> {row.OptimisedSplit:0.000}", $"{row.OptimisedSpeedup:0.000}", Optimised(row.UtilisationPercent),
                $"{row.FirstRecomputedTokens} to {row.Split?.RecomputedTokens}", Range(row.PublishedOptimum));
        }
        AnsiConsole.Write(table);
        foreach (var group in d.Latencies.Where(r => r.Note is not null).GroupBy(r => r.Note))
            Console.WriteLine($"*         {group.Key}: {string.Join(", ", group.Select(r => $"{r.Model} {r.Prompt}/{r.Tokens}"))}");
    }

    private static string Modelled(UtilisationDocument u) => $"{u.ModelledBaseline:0} -> {u.ModelledSplit:0} %";

    private static string Optimised(UtilisationDocument u) => $"{u.OptimisedBaseline:0} -> {u.OptimisedSplit:0} %";

    private static string Range(PublishedOptimumDocument optimum) => $"{optimum.FirstTokens} to {optimum.LastTokens}";
}
