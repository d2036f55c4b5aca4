using System.CommandLine;
using Preserve.Cli.Output;
using Preserve.Exploration;
using Spectre.Console;

namespace Preserve.Cli.Commands;

/// <summary><c>preserve reproduce</c>: published evaluations on the hardware model.</summary>
internal static class ReproduceCommand
{
    public static Command Create() => new("reproduce", "Repeats a published evaluation on the hardware model, beside what was published.") { Prefetch(), KvSplit() };

    private static Command Prefetch()
    {
        var models = new Option<string[]>("--model", "-m") { Description = "Models; left out, the six that were published.", DefaultValueFactory = _ => [.. Reproduction.Models], AllowMultipleArgumentsPerToken = true, HelpName = "id|config.json ..." };
        var device = new Option<string>("--device", "-d") { Description = "A built-in device by id, or a device file.", DefaultValueFactory = _ => "ascend-910b2", HelpName = "id|file.json" };
        var ranks = Numbers("--tensor-parallel", "-t", "Sizes of the group; those that do not divide a model are left out.", Reproduction.Ranks);
        var batches = Numbers("--batch", "-b", "Sequences in the batch.", Reproduction.Batches);
        var lengths = Numbers("--length", "-l", "Maximum lengths, of which two thirds are prefilled and one third is decoded.", Reproduction.Lengths);
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/reproduce.schema.json describes it." };
        var command = new Command("prefetch", "End-to-end speed-ups by prefetch under collectives, after PRESERVE (arXiv 2501.08192). Left out, the setting is the published one. "
            + $"Where batch {Reproduction.MainBatch} and length {Reproduction.MainLength} are among those asked for, they are also run over the time of an all-reduce and with each assumed constant at half and twice its value.")
        {
            models, device, ranks, batches, lengths, json,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var (on, _) = DeviceArgument.Read(parsed.GetValue(device)!);
            DeviceArgument.NeedL2(on);
            var specs = parsed.GetValue(models)!.Distinct(StringComparer.OrdinalIgnoreCase).Select(m => Reproduction.WithoutWindow(ModelArgument.Read(m).Spec)).ToList();
            var groups = Checked("--tensor-parallel", parsed.GetValue(ranks)!, 2, 1024);
            var sizes = Checked("--batch", parsed.GetValue(batches)!, 1, 4096);
            var tokens = Checked("--length", parsed.GetValue(lengths)!, 3, 1 << 20);
            var quiet = parsed.GetValue(json);

            var requests = (from m in specs from r in groups from b in sizes from l in tokens select new RequestBatch(m, r, b, l)).ToList();
            var rows = Progress(quiet, "configurations", p => Reproduction.Compare(requests, on, Technique.Compared, p, cancellation));
            if (rows.All(r => r.WhyNot is not null))
                throw new InputException($"nothing can run on {on.Id}: {rows[0].Requests.Model.Name} on {rows[0].Requests.Ranks}: {rows[0].WhyNot}");
            List<RequestBatch> main = [.. rows.Where(r => r.IsMain).GroupBy(r => r.Requests.Model.Name).Select(g => g.MaxBy(r => r.Requests.Ranks)!.Requests)];
            var latencies = Progress(quiet, "times of an all-reduce", p => Reproduction.OverLatency(main, on, p, cancellation));
            var sensitivity = Progress(quiet, "assumed constants", p => Reproduction.Sensitivity(main, on, p, cancellation));
            var marked = Reproduction.Marked([.. rows.Where(r => r.WhyNot is null).DistinctBy(r => (r.Requests.Model.Name, r.Requests.Ranks)).Select(r => r.Requests)], on, cancellation);
            var document = ReproductionDocument.Of(marked, rows, latencies, sensitivity);
            if (quiet)
                Console.WriteLine(document.ToJson());
            else
                ReproductionText.Print(document);
            return Task.FromResult(0);
        });
        return command;
    }

    private static Command KvSplit()
    {
        var device = new Option<string>("--device", "-d") { Description = "Of the latencies, a built-in device by id, or a device file; its link takes the fitted rate.", DefaultValueFactory = _ => "a100-40-sxm", HelpName = "id|file.json" };
        var schedule = new Option<string>("--schedule") { Description = "Row by row for latency, column by column for throughput.", DefaultValueFactory = _ => "both" }.AcceptOnlyFromAmong("row", "column", "both");
        var json = new Option<bool>("--json") { Description = "Print JSON, as docs/reproduce-kv-split.schema.json describes it." };
        var command = new Command("kv-split", "Latencies and throughput with a part of a KV-cache in host memory recomputed, after KVPR (arXiv 2411.17089).") { device, schedule, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(schedule) == "column" && parsed.GetResult(device) is not { Implicit: true })
                throw new InputException("--device is given, but --schedule column has the devices that were published: it is of the latencies");
            var (on, _) = DeviceArgument.Read(parsed.GetValue(device)!);
            var rows = new List<ReproducedLatency>();
            foreach (var row in parsed.GetValue(schedule) == "column" ? [] : PublishedLatency.All)
            {
                try
                {
                    rows.Add(await SplitReproduction.RunAsync(row, ModelArgument.Read(row.Model).Spec, on, cancellation));
                }
                catch (ArgumentException e)
                {
                    throw new InputException($"{row.Model} with {row.Prompt}/{row.Tokens} cannot run on {on.Id}: {e.Message}");
                }
            }
            var columns = new List<ReproducedThroughput>();
            foreach (var row in parsed.GetValue(schedule) == "row" ? [] : PublishedThroughput.All)
                columns.Add(await ThroughputReproduction.RunAsync(row, ModelArgument.Read(row.Model).Spec, ThroughputReproduction.DeviceOf(row), cancellation));
            var document = SplitReproductionDocument.Of(on, rows, columns);
            if (parsed.GetValue(json))
                Console.WriteLine(document.ToJson());
            else
                SplitReproductionText.Print(document);
            return 0;
        });
        return command;
    }

    private static Option<int[]> Numbers(string name, string alias, string description, IReadOnlyList<int> published) =>
        new(name, alias) { Description = $"{description} Left out: {string.Join(", ", published)}.", DefaultValueFactory = _ => [.. published], AllowMultipleArgumentsPerToken = true, HelpName = "number ..." };

    private static int[] Checked(string name, int[] values, int least, int most)
    {
        foreach (var value in values.Where(v => v < least || v > most))
            throw new InputException($"{name} has {value:#,0}, but must have {least:#,0} to {most:#,0}");
        return [.. values.Distinct().Order()];
    }

    /// <summary>Says on a terminal how much is done; a pipe gets the result alone.</summary>
    private static T Progress<T>(bool quiet, string what, Func<IProgress<int>?, T> work)
    {
        if (quiet || Console.IsErrorRedirected)
            return work(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().Start(what, status => work(new Progress<int>(done => status.Status($"{what}: {done} done"))));
    }
}
