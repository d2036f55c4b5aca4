using System.CommandLine;
using System.Text.Json;
using Preserve.Cli.Output;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve validate</c>: the hardware model against measured tables.</summary>
internal static class ValidateCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--measurements") { Description = "A folder of measured tables.", Required = true, HelpName = "folder" };
        var part = new Option<string>("--part") { Description = "Which rows: all of them, those of shapes that no fit saw, or the others.", DefaultValueFactory = _ => "all" }
            .AcceptOnlyFromAmong("all", "held-out", "fitted");
        var most = new Option<double?>("--max-mape") { Description = "Fail, with exit code 1, where a kind's mean error is larger.", HelpName = "percent" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("validate", "Compares the hardware model with measured tables.") { folder, part, most, json };
        command.SetAction(parsed =>
        {
            var measurements = MeasurementsArgument.Read(parsed.GetValue(folder)!);
            var rows = parsed.GetValue(part) switch { "held-out" => ValidatedPart.HeldOut, "fitted" => ValidatedPart.Fitted, _ => ValidatedPart.All };
            var results = LongWork.Show(parsed.GetValue(json), "comparing", () => Validator.Validate(measurements, rows));
            if (results.Count == 0)
                throw new InputException($"no row of {parsed.GetValue(folder)} is of a system that a built-in device stands for: {string.Join(", ", MeasuredSystem.All.Select(s => s.Name))}");
            var dropped = Dropped(measurements);
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(new ValidationDocument([.. results.Select(ValidationRow.Of)], dropped), DocumentContext.Default.ValidationDocument));
            else
                Print(results, dropped);
            var worst = results.Where(r => r.Mape > parsed.GetValue(most)).ToList();
            foreach (var result in worst)
                Console.Error.WriteLine($"preserve: {result.Kind} of {result.System}: mean error {result.Mape:0.0} %, more than {parsed.GetValue(most):0.0} %");
            return worst.Count > 0 ? 1 : 0;
        });
        return command;
    }

    /// <summary>Prints results as a table.</summary>
    public static void Print(IReadOnlyList<ValidationResult> results, IReadOnlyList<string> dropped)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("system", "kind", "part");
        foreach (var column in new[] { "rows", "mean error", "half below", "nine of ten below", "bias", "inside the band" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var r in results.OrderBy(r => r.System, StringComparer.Ordinal).ThenBy(r => r.Kind, StringComparer.Ordinal))
        {
            table.AddRow(
                Markup.Escape(r.System), Markup.Escape(r.Kind), ValidationRow.PartName(r.Part), $"{r.Rows:#,0}", $"{r.Mape:0.0} %", $"{r.P50:0.0} %", $"{r.P90:0.0} %", $"{r.Bias:+0.0;-0.0} %",
                r.InsideBand is { } inside ? $"{inside:0} %" : "-");
        }
        AnsiConsole.Write(table);
        Console.WriteLine($"{dropped.Count} rows were dropped{(dropped.Count > 0 ? ":" : "")}");
        foreach (var row in dropped)
            Console.WriteLine($"  {row}");
    }

    private static List<string> Dropped(MeasurementSet measurements) =>
    [
        .. MeasuredSystem.All
            .Where(s => DeviceCatalogue.TryGet(s.DeviceId, out _))
            .SelectMany(s => Validator.Dropped(measurements, s.Name, DeviceArgument.Read(s.DeviceId).Device))
            .Select(d => d.ToString()).Distinct(StringComparer.Ordinal),
    ];
}
