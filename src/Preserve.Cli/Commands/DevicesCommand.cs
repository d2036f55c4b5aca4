using System.CommandLine;
using System.Text.Json;
using Preserve.Cli.Output;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve devices</c>: the built-in devices, with what is doubtful or assumed in them.</summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var id = new Argument<string>("id") { Description = "One device: prints its file.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("devices", "Lists the built-in devices, with what is doubtful or assumed in them.") { json, id };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(id) is { } one)
            {
                var (device, text) = DeviceArgument.Read(one);
                Console.Out.Write(text ?? DeviceCatalogue.TextOf(device.Id));
                return 0;
            }
            var devices = DeviceCatalogue.Ids.Select(i => DeviceArgument.Read(i).Device).ToList();
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize([.. devices.Select(DeviceDocument.Of)], DocumentContext.Default.IReadOnlyListDeviceDocument));
            else
                Print(devices);
            return 0;
        });
        return command;
    }

    private static void Print(IReadOnlyList<Device> devices)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("id", "name");
        foreach (var column in new[] { "bf16 TFLOP/s", "HBM GB", "GB/s", "L2 MiB", "L2 TB/s", "link GB/s" })
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumns("constants", "assumed", "doubtful");
        foreach (var d in devices)
        {
            table.AddRow(
                Markup.Escape(d.Id), Markup.Escape(d.Name), $"{d.Compute.Bf16Teraflops:0}", $"{d.Hbm.CapacityGigabytes:0}", $"{d.Hbm.SustainedGigabytesPerSecond:#,0}",
                d.L2.CapacityMebibytes is { } l2 ? $"{l2:0}" : "?", d.L2.ReadTerabytesPerSecond is { } rate ? $"{rate:0.0}" : "?", $"{d.ScaleUp.GigabytesPerSecondPerDirection:#,0}",
                d.Calibration is null ? "data sheet" : "fitted", $"{d.AssumedFields.Count}", $"{d.DoubtfulFields.Count}");
        }
        AnsiConsole.Write(table);
        foreach (var d in devices)
        {
            foreach (var note in d.AssumedFields)
                Console.WriteLine($"{d.Id}: assumed {note.Field}: {note.Note}");
            foreach (var note in d.DoubtfulFields)
                Console.WriteLine($"{d.Id}: doubtful {note.Field}: {note.Note}");
        }
    }
}
