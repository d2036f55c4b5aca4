using System.CommandLine;
using Preserve.Cli.Output;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve calibrate</c>: fits a device's constants from measured tables.</summary>
internal static class CalibrateCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--measurements") { Description = "A folder of measured tables.", Required = true, HelpName = "folder" };
        var system = new Option<string>("--system") { Description = "The name under which the device stands in the tables.", Required = true };
        var device = new Option<string>("--base", "--device") { Description = "The device whose rates on paper bound the constants: a built-in one, or a device file.", Required = true, HelpName = "id|file.json" };
        var multiprocessors = new Option<int?>("--multiprocessors") { Description = "Multiprocessors of the device, where the system is not a known one." };
        var file = new Option<string>("--out") { Description = "The device file to write.", HelpName = "file.json" };
        var command = new Command("calibrate", "Fits a device's constants from measured tables, and says how well.") { folder, system, device, multiprocessors, file };
        command.SetAction(parsed =>
        {
            var measurements = MeasurementsArgument.Read(parsed.GetValue(folder)!);
            var (name, id) = (parsed.GetValue(system)!, parsed.GetValue(device)!);
            var (on, text) = DeviceArgument.Read(id);
            if (!measurements.Systems.Contains(name))
                throw new InputException($"no row of {parsed.GetValue(folder)} is of the system '{name}', only of {string.Join(", ", measurements.Systems)}");
            var processors = parsed.GetValue(multiprocessors) ?? MeasuredSystem.Of(name)?.Multiprocessors
                ?? throw new InputException($"how many multiprocessors the system '{name}' has is not known: give --multiprocessors");
            if (processors is < 1 or > 100_000)
                throw new InputException($"--multiprocessors is {processors:#,0}, but must be 1 to 100,000");
            var command = $"preserve calibrate --measurements {parsed.GetValue(folder)} --system {name} --device {id}";
            var result = LongWork.Show(false, $"fitting {name}", () => Calibrator.Calibrate(measurements, name, on, processors, command));
            ValidateCommand.Print(result.Figures, [.. result.Dropped.Select(d => d.ToString())]);
            if (parsed.GetValue(file) is { } path)
            {
                DeviceFileWriter.Write(path, text ?? DeviceCatalogue.TextOf(on.Id)!, result.Calibration);
                Console.WriteLine($"wrote {path}");
            }
            return 0;
        });
        return command;
    }
}
