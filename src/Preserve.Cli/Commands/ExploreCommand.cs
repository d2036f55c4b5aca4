using System.CommandLine;
using Preserve.Cli.Output;
using Preserve.Exploration;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve explore</c>: performance per cost over the size of the L2.</summary>
internal static class ExploreCommand
{
    /// <summary>As a device file may give it.</summary>
    private const double SmallestMebibytes = 0.25, LargestMebibytes = 4096;

    private const int MostSizes = 1000;
    private const int MostFileBytes = 1 << 20;

    /// <summary>From below the published best without prefetch to beyond the largest L2 that is built.</summary>
    private static readonly double[] _sizes = [2, 4, .. Enumerable.Range(1, 32).Select(i => 8.0 * i)];

    public static Command Create()
    {
        var options = DeploymentOptions.OfThePublication();
        var sizes = new Option<double[]>("--l2") { Description = "Capacities of the L2 in MiB; left out, 2, 4 and 8 to 256 by 8.", DefaultValueFactory = _ => _sizes, AllowMultipleArgumentsPerToken = true, HelpName = "MiB ..." };
        var cost = new Option<string>("--cost-model") { Description = "A cost model; left out, the built-in one, which --print-cost-model prints.", HelpName = "file.json" };
        var print = new Option<bool>("--print-cost-model") { Description = "Print the built-in cost model, and do nothing else." };
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/explore.schema.json describes it." };
        var plot = OutputFile.Option("--plot", "Write a plot, as a page that needs no network.", "file.html");
        var command = new Command("explore", "Sweeps the size of the L2, with and without prefetch: performance per cost. Left out, the setting is that of PRESERVE.") { sizes, cost, print, json, plot };
        options.AddSeveralTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(print))
            {
                Console.Write(CostModelFile.DefaultText);
                return Task.FromResult(0);
            }
            OutputFile.Check(parsed.GetValue(plot));
            var swept = Sizes(parsed.GetValue(sizes)!);
            var model = ReadCostModel(parsed.GetValue(cost));
            var deployed = options.ReadSeveral(parsed);
            var device = deployed[0].Device;
            DeviceArgument.NeedL2(device);
            var runs = Progress(parsed.GetValue(json), progress => L2Sweep.Run([.. deployed.Select(d => d.Spec)], deployed[0].Context, device, swept, ExplorationDocument.Policies, progress, cancellation));
            var document = ExplorationDocument.Of(deployed, new L2Exploration(runs, model, device.Hbm.CapacityGigabytes));
            if (parsed.GetValue(plot) is { } page)
                page.Write(ExplorationPage.Write(document));
            if (parsed.GetValue(json))
                Console.WriteLine(document.ToJson());
            else
                ExplorationText.Print(document);
            return Task.FromResult(0);
        });
        return command;
    }

    private static double[] Sizes(double[] sizes)
    {
        if (sizes.Length is 0 or > MostSizes)
            throw new InputException($"--l2 has {sizes.Length} sizes, but must have 1 to {MostSizes}");
        foreach (var size in sizes)
        {
            if (!(size >= SmallestMebibytes && size <= LargestMebibytes))
                throw new InputException($"--l2 has {size}, but a size must be {SmallestMebibytes} to {LargestMebibytes:0} MiB");
        }
        return [.. sizes.Distinct().Order()];
    }

    private static CostModel ReadCostModel(string? path)
    {
        if (path is null)
            return CostModelFile.Default;
        if (!File.Exists(path))
            throw new InputException($"there is no cost model '{path}'");
        try
        {
            return CostModelFile.Parse(InputFile.Read(path, "a cost model", MostFileBytes));
        }
        catch (FormatException e)
        {
            throw new InputException($"{path}: {e.Message}");
        }
    }

    /// <summary>Says on a terminal how many runs are done; a pipe gets the result alone.</summary>
    private static T Progress<T>(bool quiet, Func<IProgress<int>?, T> work)
    {
        if (quiet || Console.IsErrorRedirected)
            return work(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().Start("sweeping", status => work(new Progress<int>(done => status.Status($"sweeping: {done} runs done"))));
    }
}
