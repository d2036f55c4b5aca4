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
        var device = new Option<string?>("--device", "-d") { Description = "The device to compare: a built-in one, or a device file; left out, every built-in one that was measured.", HelpName = "id|file.json" };
        var system = new Option<string?>("--system") { Description = "The name under which the device stands in the tables; left out, that of the built-in device." };
        var part = new Option<string>("--part") { Description = "Which rows: all of them, those of shapes that no fit saw, or the others.", DefaultValueFactory = _ => "all" }
            .AcceptOnlyFromAmong("all", "held-out", "fitted");
        var most = new Option<double?>("--max-mape") { Description = "Fail, with exit code 1, where a kind's mean error is larger.", HelpName = "percent" };
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/validate.schema.json describes it." };
        var command = new Command("validate", "Compares the hardware model with measured tables.") { folder, device, system, part, most, json };
        command.SetAction(parsed =>
        {
            var limit = parsed.GetValue(most);
            if (limit is { } percent && !(percent > 0 && double.IsFinite(percent)))
                throw new InputException($"--max-mape is {percent}, but must be a number above 0, in percent");
            var chosen = Chosen(parsed.GetValue(device), parsed.GetValue(system));
            var (measurements, doubts) = MeasurementsArgument.Read(parsed.GetValue(folder)!);
            if (parsed.GetValue(device) is not null || parsed.GetValue(system) is not null)
                MeasurementsArgument.CheckSystem(measurements, parsed.GetValue(folder)!, chosen[0].System);
            var rows = parsed.GetValue(part) switch { "held-out" => ValidatedPart.HeldOut, "fitted" => ValidatedPart.Fitted, _ => ValidatedPart.All };
            var results = LongWork.Show<IReadOnlyList<ValidationResult>>(
                parsed.GetValue(json), "comparing", () => [.. chosen.SelectMany(c => Validator.Validate(measurements, c.System, c.Device, rows))]);
            List<string> dropped = [.. chosen.SelectMany(c => Validator.Dropped(measurements, c.System, c.Device)).Select(d => d.ToString())];
            if (results.Count == 0)
                throw new InputException(WhyNothing(measurements, parsed.GetValue(folder)!, parsed.GetValue(part)!, [.. chosen.Select(c => c.System)], dropped));
            List<string> notCompared = [.. chosen.SelectMany(c => Validator.NotCompared(measurements, c.System, c.Device).Select(u => u.ToString()))];
            var skipped = MeasurementsArgument.Others(measurements, chosen.Select(c => c.System));
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new ValidationDocument([.. results.Select(ValidationRow.Of)], dropped, notCompared, skipped, doubts), DocumentContext.Default.ValidationDocument));
            }
            else
            {
                Print(results, dropped);
                PrintDoubts(doubts);
                foreach (var unused in notCompared)
                    Console.WriteLine($"not compared: {unused}");
                foreach (var other in skipped)
                    Console.WriteLine($"{other.System}: {Rows(other.Rows)} not compared; --device and --system compare a device with them");
            }
            var worst = results.Where(r => r.Mape > limit).ToList();
            foreach (var result in worst)
                Console.Error.WriteLine($"preserve: {result.Kind} of {result.System}: mean error {Told(result.Mape, limit!.Value)} %, more than {limit} %");
            return worst.Count > 0 ? 1 : 0;
        });
        return command;
    }

    /// <summary>The devices to compare, each with the name that the tables have for it.</summary>
    private static List<(string System, Device Device)> Chosen(string? device, string? system)
    {
        if (device is not null)
        {
            var (read, own) = DeviceArgument.Read(device);
            var known = own is null ? MeasuredSystem.All.FirstOrDefault(s => s.DeviceId == read.Id)?.Name : null;
            return [(system ?? known ?? throw new InputException($"which rows are of {device} is not known: give --system"), read)];
        }
        if (system is not null && MeasuredSystem.Of(system) is null)
            throw new InputException($"which device '{system}' is is not known: give --device");
        return [.. MeasuredSystem.All.Where(s => system is null || s.Name == system).Select(s => (s.Name, DeviceArgument.Read(s.DeviceId).Device))];
    }

    /// <summary>Why no row is compared.</summary>
    private static string WhyNothing(MeasurementSet measurements, string folder, string part, IReadOnlyList<string> systems, List<string> dropped)
    {
        const int mostNamed = 3;
        var rows = systems.Sum(measurements.RowsOf);
        var names = string.Join(", ", systems);
        if (rows == 0)
            return $"no row of {folder} is of {names}: there are {string.Join(", ", measurements.Systems)}";
        if (dropped.Count == rows)
            return $"{(rows == 1 ? "the only row" : $"all {rows:#,0} rows")} of {names} in {folder} {(rows == 1 ? "was" : "were")} dropped: {string.Join("; ", dropped.Take(mostNamed))}{(rows > mostNamed ? "; and others" : "")}";
        return $"of the rows of {names} in {folder} none is {(part == "held-out" ? "of a shape that is held out" : part == "fitted" ? "of a shape that a fit sees" : "of a kind that is compared")}{(dropped.Count > 0 ? $"; {Rows(dropped.Count)} dropped" : "")}";
    }

    /// <summary>How many rows, with the verb that follows.</summary>
    public static string Rows(int count) => count == 1 ? "1 row was" : $"{count:#,0} rows were";

    /// <summary>An error with as many digits as tell it from the limit that it exceeds.</summary>
    private static string Told(double error, double limit)
    {
        var digits = 1;
        while (digits < 15 && Math.Round(error, digits) <= limit)
            digits++;
        return error.ToString("F" + digits, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Prints what may be wrong in the tables.</summary>
    public static void PrintDoubts(IEnumerable<string> doubts)
    {
        foreach (var doubt in doubts)
            Console.WriteLine($"doubtful: {doubt}");
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
                Markup.Escape(r.System), Markup.Escape(r.Kind), ValidationRow.PartName(r.Part), $"{r.Rows:#,0}", $"{r.Mape:0.0} %", $"{r.P50:0.0} %", $"{r.P90:0.0} %", $"{Math.Round(r.Bias, 1):+0.0;-0.0;0.0} %",
                r.InsideBand is { } inside ? $"{inside:0} %" : "-");
        }
        AnsiConsole.Write(table);
        Console.WriteLine($"{Rows(dropped.Count)} dropped{(dropped.Count > 0 ? ":" : "")}");
        foreach (var row in dropped)
            Console.WriteLine($"  {row}");
    }
}
