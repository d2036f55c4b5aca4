using System.CommandLine;
using System.Text.RegularExpressions;
using Preserve.Cli.Output;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve calibrate</c>: fits a device's constants from measured tables.</summary>
internal static partial class CalibrateCommand
{
    private static readonly Option<string> _folder = new("--measurements") { Description = "A folder of measured tables.", Required = true, HelpName = "folder" };
    private static readonly Option<string> _system = new("--system") { Description = "The name under which the device stands in the tables.", Required = true };
    private static readonly Option<string> _base = new("--base", "--device") { Description = "The device whose rates on paper bound the constants: a built-in one, or a device file.", Required = true, HelpName = "id|file.json" };
    private static readonly Option<int?> _multiprocessors = new("--multiprocessors") { Description = "Multiprocessors of the device, where the system is not a known one." };
    private static readonly Option<string?> _id = new("--id") { Description = "The id of the device that is written; left out, that of the base." };
    private static readonly Option<string?> _source = new("--source") { Description = "Where the measurements come from, as the file's sources will say; left out, the folder and the system.", HelpName = "text" };
    private static readonly Option<OutputFile?> _file = OutputFile.Option("--out", "The device file to write.", "file.json");
    private static readonly Option<bool> _json = new("--json") { Description = "Print JSON, as docs/calibrate.schema.json describes it." };

    public static Command Create()
    {
        var command = new Command("calibrate", "Fits a device's constants from measured tables, and says how well.") { _folder, _system, _base, _multiprocessors, _id, _source, _file, _json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        var file = parsed.GetValue(_file);
        OutputFile.Check(file);
        var (folder, name, id) = (parsed.GetValue(_folder)!, parsed.GetValue(_system)!, parsed.GetValue(_id));
        var (on, own) = DeviceArgument.Read(parsed.GetValue(_base)!);
        var text = Named(own ?? DeviceCatalogue.TextOf(on.Id)!, id);
        if (file is not null && id is null && own is null && MeasuredSystem.Of(name)?.DeviceId != on.Id)
            throw new InputException($"the file would say that it is {on.Id}, which '{name}' is not known to be: give --id");
        var (measurements, doubts) = MeasurementsArgument.Read(folder);
        MeasurementsArgument.CheckSystem(measurements, folder, name);
        var processors = parsed.GetValue(_multiprocessors) ?? MeasuredSystem.Of(name)?.Multiprocessors
            ?? throw new InputException($"how many multiprocessors the system '{name}' has is not known: give --multiprocessors");
        if (processors is < 1 or > 100_000)
            throw new InputException($"--multiprocessors is {processors:#,0}, but must be 1 to 100,000");

        var result = LongWork.Show(parsed.GetValue(_json), $"fitting {name}", () => Fit(measurements, name, on, processors, CommandLine(parsed)));
        if (file is not null && result.Calibration.IsEmpty)
            throw new InputException(string.Join("; ", [$"nothing was fitted to the rows of '{name}', so {file.Path} was not written", .. result.NotFitted]));
        var fitted = WithCalibration(
            text, result, parsed.GetValue(_source) ?? $"fit to the tables of {folder}, system {name}, one shape in four held out, by the command that stands there");
        file?.Write(fitted);
        var dropped = result.Dropped.Select(d => d.ToString()).ToList();
        var notUsed = result.NotUsed.Select(u => u.ToString()).ToList();
        var skipped = MeasurementsArgument.Others(measurements, [name]);
        if (parsed.GetValue(_json))
        {
            Console.WriteLine(new CalibrationDocument(
                name, id ?? on.Id, processors, result.Calibration.Command, [.. result.Figures.Select(ValidationRow.Of)], dropped, notUsed, skipped, result.NotFitted, result.NotKept, doubts, file?.Path).ToJson());
            return 0;
        }
        ValidateCommand.Print(result.Figures, dropped);
        ValidateCommand.PrintDoubts(doubts);
        foreach (var unused in notUsed)
            Console.WriteLine($"not used: {unused}");
        foreach (var other in skipped)
            Console.WriteLine($"{other.System}: {ValidateCommand.Rows(other.Rows)} not used");
        foreach (var kind in result.NotFitted)
            Console.WriteLine($"not fitted: {kind}");
        if (result.NotKept.Count > 0)
            Console.WriteLine($"measured in {on.Id}, and not in the new calibration: {string.Join("; ", result.NotKept)}");
        if (file is not null)
            Console.WriteLine($"wrote {file.Path}");
        return 0;
    }

    /// <summary>The text of a device with an id that is given.</summary>
    public static string Named(string text, string? id)
    {
        try
        {
            return id is null ? text : DeviceFileText.Named(text, id);
        }
        catch (ArgumentException)
        {
            throw new InputException($"--id is '{id}', but must be of the letters a to z, digits, and . _ -");
        }
    }

    /// <summary>The device file with what was fitted, which must be of the device whether it is written or not.</summary>
    private static string WithCalibration(string device, CalibrationResult result, string source)
    {
        try
        {
            if (result.SustainedSource is { } shown)
                device = DeviceFileText.Put(device, result.Device.Hbm, shown);
            return DeviceFileText.Put(device, result.Calibration, source);
        }
        catch (ArgumentException e)
        {
            throw new InputException($"what was fitted cannot be: {e.Message}. Are the times of the tables in the units of their headers, and is --source one line of text?");
        }
    }

    private static CalibrationResult Fit(MeasurementSet measurements, string system, Device device, int multiprocessors, string command)
    {
        try
        {
            return Calibrator.Calibrate(measurements, system, device, multiprocessors, command);
        }
        catch (CalibrationException e)
        {
            throw new InputException(e.Message);
        }
    }

    /// <summary>The command as it was given, for whoever reads the file: every option that changes it, as a shell takes it.</summary>
    private static string CommandLine(ParseResult parsed)
    {
        var options = new (Option Option, string? Value)[]
        {
            (_folder, parsed.GetValue(_folder)), (_system, parsed.GetValue(_system)), (_base, parsed.GetValue(_base)),
            (_multiprocessors, parsed.GetValue(_multiprocessors)?.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            (_id, parsed.GetValue(_id)), (_source, parsed.GetValue(_source)), (_file, parsed.GetValue(_file)?.Path),
        };
        return "preserve calibrate" + string.Concat(options.Where(o => o.Value is not null).Select(o => $" {o.Option.Name} {Quoted(o.Value!)}"));
    }

    private static string Quoted(string word) => Plain().IsMatch(word) ? word : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^[\w./:=@%+,-]+$")]
    private static partial Regex Plain();
}
