using Spectre.Console;

namespace Preserve.Cli.Output;

/// <summary>A sweep of budgets on the terminal.</summary>
internal static class BudgetText
{
    private static readonly string[] _columns = ["under each collective", "step us", "tokens/s", "speed-up", "prefetched", "evicted", "late"];

    public static void Print(BudgetDocument d)
    {
        Console.WriteLine($"{d.Model} on {d.TensorParallel} x {d.Device}: {d.Phase} batch {d.Batch} context {d.Context}; without prefetch {d.BaseMicroseconds:#,0.0} us");
        Console.WriteLine(
            $"the L2 keeps {SimulationText.Megabytes(d.L2FullBytes)} whole, and nothing beyond {SimulationText.Megabytes(d.L2LimitBytes)}; bytes are those of one rank in the whole step");
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in _columns)
            table.AddColumn(new TableColumn(column).RightAligned());
        var fastest = d.Budgets.Max(r => r.Speedup);
        foreach (var r in d.Budgets)
            table.AddRow(Row($"{r.BudgetMegabytes:0.###} MB", r, r.Speedup == fastest));
        table.AddRow(Row("best", d.Best, false));
        AnsiConsole.Write(table);
        Console.WriteLine("*         the fastest of these budgets; best is what the search chooses, of other lengths in each window, and beside kernels too");
        Console.WriteLine("evicted   brought, and pushed out of the L2 before it was read, so that memory brings it again");
        Console.WriteLine("late      brought, and read by its reader too, which began before");
        foreach (var note in d.Assumed)
            Console.WriteLine($"assumed   {d.Device}: {note.Field}: {note.Note}");
    }

    private static string[] Row(string budget, BudgetRunDocument r, bool fastest) =>
    [
        budget, $"{r.StepMicroseconds:#,0.0}", $"{r.TokensPerSecond:#,0.00}", $"{r.Speedup:0.000}{(fastest ? " *" : "")}",
        SimulationText.Megabytes(r.PrefetchedBytes), SimulationText.Megabytes(r.EvictedBytes), SimulationText.Megabytes(r.LateBytes),
    ];
}
