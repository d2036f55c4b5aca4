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
        var trace = new Option<string>("--trace") { Description = "Write the run as a Chrome trace, which Perfetto opens.", HelpName = "file.json" };
        var plan = new Option<string>("--plan") { Description = "Write the plan's text.", HelpName = "file.txt" };
        var table = new Option<string>("--prefetch-table") { Description = "Write the prefetches as a serving engine's prefetch calls want them.", HelpName = "file.json" };
        var command = new Command("simulate", "Plans one step and runs it on the hardware model.") { json, trace, plan, table };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var cold = parsed.GetValue(options.Cold);
            var simulation = await Simulation.RunAsync(options.Read(parsed), cold, cancellation);
            if (parsed.GetValue(trace) is { } traceFile)
            {
                var recorded = await simulation.RecordAsync(cold, cancellation);
                OutputFile.Write(traceFile, stream => ChromeTrace.Write(stream, $"{simulation.Plan.Model} on {simulation.Plan.Device}, {simulation.Plan.Step}", recorded));
            }
            if (parsed.GetValue(plan) is { } planFile)
                OutputFile.Write(planFile, PlanText.Write(simulation.Plans));
            if (parsed.GetValue(table) is { } tableFile)
                OutputFile.Write(tableFile, stream => PrefetchTable.Write(stream, simulation.Plan, simulation.Deployed.Context));
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
        foreach (var column in new[] { "takes", "prefetched", "hidden", "saved" })
            windows.AddColumn(new TableColumn(column).RightAligned());
        foreach (var window in simulation.Report.Windows)
        {
            windows.AddRow(
                Markup.Escape(window.Host), SimulationText.Layers(window), SimulationText.Time(window.WindowPicoseconds),
                SimulationText.Megabytes(window.Candidates.Sum(c => c.PrefetchedBytes)), SimulationText.Time(window.HiddenPicoseconds), SimulationText.Time(window.SavedPicoseconds));
        }
        if (simulation.Report.Windows.Count > 0)
            AnsiConsole.Write(windows);
        SimulationText.PrintNotes(simulation);
    }
}
