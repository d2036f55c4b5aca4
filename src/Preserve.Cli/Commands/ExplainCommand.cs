using System.CommandLine;
using Preserve.Cli.Output;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve explain</c>: every window, every candidate, every reason.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var options = new DeploymentOptions();
        var json = new Option<bool>("--json") { Description = "Print JSON, the same as that of simulate." };
        var command = new Command("explain", "Says of every window and every tensor what is prefetched, and why not the rest.") { json };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var simulation = await Simulation.RunAsync(options.Read(parsed), parsed.GetValue(options.Cold), cancellation);
            if (parsed.GetValue(json))
                simulation.ToDocument().Write(Console.Out);
            else
                Print(simulation);
            return 0;
        });
        return command;
    }

    private static void Print(Simulation simulation)
    {
        SimulationText.PrintHead(simulation);
        SimulationText.PrintTimes(simulation);
        PrintPath(simulation);
        PrintCollectives(simulation);
        foreach (var window in simulation.Report.Windows.Where(w => w.Candidates.Count > 0))
        {
            var many = window.FirstLayer != window.LastLayer;
            Console.WriteLine();
            Console.WriteLine(
                $"{window.Host}, {(window.FirstLayer < 0 ? "outside the layers" : (many ? "layers " : "layer ") + SimulationText.Layers(window))}: takes {SimulationText.Time(window.WindowPicoseconds)}{(many ? " each" : "")}{Band(simulation.Band(window))}, " +
                (window.Candidates.Any(c => c.PrefetchedBytes > 0)
                    ? $"{SimulationText.Time(window.HiddenPicoseconds)} of prefetch beside it; " + Saved(window.SavedPicoseconds, many)
                    : "nothing is prefetched beside it"));
            var candidates = new Table().Border(TableBorder.Simple).AddColumn("tensor").AddColumn(new TableColumn("prefetched").RightAligned())
                .AddColumn(new TableColumn("of").RightAligned()).AddColumn("verdict").AddColumn("why");
            foreach (var candidate in window.Candidates)
            {
                candidates.AddRow(
                    Markup.Escape(candidate.Tensor.Tensor), SimulationText.Megabytes(candidate.PrefetchedBytes), SimulationText.Megabytes(candidate.Bytes), Names.Verdicts[candidate.Verdict],
                    Markup.Escape(candidate.Reason));
            }
            AnsiConsole.Write(candidates);
        }
        SimulationText.PrintNotes(simulation);
    }

    private static string Saved(long picoseconds, bool many) => picoseconds switch
    {
        0 => "its prefetches change nothing",
        > 0 => $"its prefetches save {SimulationText.Time(picoseconds)}{(many ? " together" : "")}",
        _ => $"its prefetches cost {SimulationText.Time(-picoseconds)}{(many ? " together" : "")}",
    };

    /// <summary>How each collective is done: the fastest of what the device has constants for, at its size.</summary>
    private static void PrintCollectives(Simulation simulation)
    {
        var laws = CostLaws.For(simulation.Deployed.Device);
        var table = new Table().Border(TableBorder.Simple).AddColumn("collective").AddColumn("kind").AddColumn(new TableColumn("bytes").RightAligned())
            .AddColumn("algorithm").AddColumn("in one kernel with");
        var collectives = simulation.Plan.Instructions().Where(i => i.Operation is CollectiveOperation)
            .Select(i => (i.Label, Operation: (CollectiveOperation)i.Operation)).Distinct().ToList();
        foreach (var (label, operation) in collectives)
        {
            table.AddRow(
                Markup.Escape(label), Name(operation.Kind), $"{operation.Bytes:#,0}", laws.MethodOf(operation).ToString(),
                operation switch { { MatMul: not null } => "the matmul before it", { Norm.Adds: true } => "the addition and norm after it", { Norm: not null } => "the norm after it", _ => "" });
        }
        if (collectives.Count > 0)
            AnsiConsole.Write(table);
    }

    private static string Name(CollectiveKind kind) => kind switch
    {
        CollectiveKind.AllReduce => "all-reduce",
        CollectiveKind.AllGather => "all-gather",
        _ => "reduce-scatter",
    };

    private static string Band(TimeBand? band) => band is null ? "" : $" (four of five from {SimulationText.Range(band)})";

    /// <summary>Where the time of the step goes: the compute and collective streams run one after the other, so their instructions are the
    /// critical path.</summary>
    private static void PrintPath(Simulation simulation)
    {
        var run = simulation.Run;
        var path = new Table().Border(TableBorder.Simple).AddColumn("on the critical path").AddColumn(new TableColumn("times").RightAligned())
            .AddColumn(new TableColumn("time").RightAligned()).AddColumn(new TableColumn("share").RightAligned()).AddColumn(new TableColumn("four of five").RightAligned());
        var longest = run.Timeline.Where(IsOnPath).GroupBy(i => i.Label).OrderByDescending(g => g.Sum(i => i.Picoseconds)).Take(12);
        foreach (var times in longest)
            AddRow(times.Key, $"{times.Count()}", r => r.Timeline.Where(i => IsOnPath(i) && i.Label == times.Key).Sum(i => i.Picoseconds));
        if (run.CopyExposedPicoseconds > 0)
            AddRow("copies, where nothing else runs", "", r => r.CopyExposedPicoseconds);
        AnsiConsole.Write(path);

        void AddRow(string what, string times, Func<StepRun, long> time) => path.AddRow(
            Markup.Escape(what), times, SimulationText.Time(time(run)), $"{100.0 * time(run) / run.Picoseconds:0.0} %", SimulationText.Range(simulation.Band(time)));

        static bool IsOnPath(InstructionRun instruction) => instruction.Stream is StreamKind.Compute or StreamKind.Collective;
    }
}
