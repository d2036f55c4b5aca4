using System.CommandLine;
using Preserve.Cli.Output;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve simulate</c>: plans and runs one step on the hardware model.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var options = new DeploymentOptions();
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/simulate.schema.json describes it." };
        var trace = OutputFile.Option("--trace", "Write the run as a Chrome trace, which Perfetto opens.", "file.json");
        var plan = OutputFile.Option("--plan", "Write the plan's text.", "file.txt");
        var table = OutputFile.Option("--prefetch-table", "Write the prefetches as a serving engine's prefetch calls want them.", "file.json");
        var command = new Command("simulate", "Plans one step and runs it on the hardware model.") { json, trace, plan, table };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            OutputFile.Check(parsed.GetValue(trace), parsed.GetValue(plan), parsed.GetValue(table));
            var simulation = await Simulation.RunAsync(options.Read(parsed), parsed.GetValue(options.Cold), cancellation);
            if (parsed.GetValue(trace) is { } traceFile)
                traceFile.Write(stream => ChromeTrace.Write(stream, $"{simulation.Plan.Model} on {simulation.Plan.Device}, {simulation.Plan.Step}", simulation.Run));
            if (parsed.GetValue(plan) is { } planFile)
                planFile.Write(PlanText.Write(simulation.Plans));
            if (parsed.GetValue(table) is { } tableFile)
                tableFile.Write(stream => PrefetchTable.Write(stream, simulation.Plan, simulation.Deployed.Context));
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
        var windows = new Table().Border(TableBorder.Rounded).AddColumns("window", "layers");
        foreach (var column in new[] { "takes", "four of five", "prefetched", "hidden", "saved" })
            windows.AddColumn(new TableColumn(column).RightAligned());
        foreach (var window in simulation.Report.Windows)
        {
            windows.AddRow(
                Markup.Escape(window.Host), SimulationText.Layers(window), SimulationText.Time(window.WindowPicoseconds), SimulationText.Range(simulation.Band(window)),
                SimulationText.Megabytes(window.Candidates.Sum(c => c.PrefetchedBytes)), SimulationText.Time(window.HiddenPicoseconds), SimulationText.Time(window.SavedPicoseconds));
        }
        if (simulation.Report.Windows.Count > 0)
            AnsiConsole.Write(windows);
        SimulationText.PrintNotes(simulation);
    }
}
