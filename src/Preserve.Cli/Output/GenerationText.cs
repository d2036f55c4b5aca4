using Spectre.Console;

namespace Preserve.Cli.Output;

/// <summary>A generation on the terminal.</summary>
internal static class GenerationText
{
    private const int MostLengths = 9;

    public static void Print(GenerationSimulation simulation)
    {
        var (deployed, run, basic) = (simulation.Deployed, simulation.Run, simulation.BaseRun);
        Console.WriteLine($"{deployed.Spec.Model.Name} on {deployed.Spec.TensorParallel} x {deployed.Device.Name}: batch {run.Batch}, prompts of {simulation.Prompt:#,0} tokens, {run.Decode.Count + 1:#,0} tokens each; KV-cache in the {(simulation.HasHostCache ? "host's" : "device's")} memory, weights in the {(simulation.HasHostWeights ? "host's" : "device's")}");
        if (simulation.Batches > 1)
            Console.WriteLine($"column by column: each layer serves {simulation.Batches} batches of {run.Batch / simulation.Batches} before the next layer");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("").AddColumn(new TableColumn("base plans").RightAligned()).AddColumn(new TableColumn("these plans").RightAligned());
        Row("prefill", r => Seconds(r.Prefill.Picoseconds));
        Row("decode", r => Seconds(r.DecodePicoseconds));
        Row("together", r => Seconds(r.Picoseconds));
        Row("tokens per second", r => $"{r.TokensPerSecond:#,0.0}");
        Row("first decode step", r => Milliseconds(r.Decode[0].Picoseconds));
        Row("last decode step", r => Milliseconds(r.Decode[^1].Picoseconds));
        Row("kernels run", r => Share(r, s => s.KernelPicoseconds));
        Row("memory busy", r => Share(r, s => s.HbmBusyPicoseconds));
        Row("memory's rate used", r => $"{100 * simulation.MemoryShare(r):0.0} %");
        if (deployed.Spec.TensorParallel > 1)
            Row("scale-up link busy", r => Share(r, s => s.CollectivePicoseconds));
        Row("link to the device busy", r => Share(r, s => s.CopyToDevicePicoseconds));
        Row("link to the host busy", r => Share(r, s => s.CopyToHostPicoseconds));
        Row("copies exposed", r => Share(r, s => s.CopyExposedPicoseconds));
        Row("copies hidden", r => Share(r, s => s.CopyHiddenPicoseconds));
        AnsiConsole.Write(table);
        Console.WriteLine($"base: {(simulation.HasHostCache ? "all of the KV-cache transferred, nothing prefetched" : "nothing prefetched")}");
        Console.WriteLine($"{simulation.Speedup:0.000} times as fast; parts are of the decode steps' time, in brackets of the whole generation's; exposed is where a copy runs and neither a kernel nor a collective, hidden where one does");
        Console.WriteLine($"each rank holds at most {simulation.Footprint.DeviceBytes / 1e9:0.0} GB in the device's memory and {simulation.Footprint.HostBytes / 1e9:0.0} GB in the host's");
        if (simulation.Report.Split is { } split)
        {
            Console.WriteLine($"split     {Names.SplitOutcomes[split.Outcome]}: {deployed.ReasonOf(split)}");
            PrintLengths(simulation);
        }
        if (simulation.Longest.BandOf(Simulation.StepTime) is { } band)
            Console.WriteLine($"band      a step at {deployed.Context:#,0} cached tokens takes {Milliseconds(simulation.Longest.Run.Picoseconds)}; four of five lie from {Milliseconds(band.LowPicoseconds)} to {Milliseconds(band.HighPicoseconds)}");
        if (SimulationText.LeftOut(deployed.Device, simulation.Longest) is { } leftOut)
            Console.WriteLine($"band      {leftOut}");
        foreach (var note in simulation.Notes)
            Console.WriteLine($"note      {note}");
        foreach (var note in ConvertedFormats.Of(simulation.Decode, deployed.Device))
            Console.WriteLine($"formats   {note}");
        foreach (var note in deployed.Device.AssumedFields)
            Console.WriteLine($"assumed   {note.Field}: {note.Note}");
        foreach (var note in deployed.Device.DoubtfulFields)
            Console.WriteLine($"doubtful  {note.Field}: {note.Note}");

        void Row(string name, Func<GenerationRun, string> value) => table.AddRow(name, value(basic), value(run));
    }

    private static void PrintLengths(GenerationSimulation simulation)
    {
        var steps = simulation.Run.Decode.Count;
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in new[] { "cached", "recomputed", "transferred", "base step", "this step", "gain" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var i in Enumerable.Range(0, MostLengths).Select(i => (int)((long)(steps - 1) * i / (MostLengths - 1))).Distinct())
        {
            var (context, recomputed) = (simulation.Prompt + i, simulation.Decode.RecomputedTokens(simulation.Prompt + i));
            var (basic, step) = (simulation.BaseRun.Decode[i].Picoseconds, simulation.Run.Decode[i].Picoseconds);
            table.AddRow($"{context:#,0}", $"{recomputed:#,0}", $"{context - recomputed:#,0}", Milliseconds(basic), Milliseconds(step), $"{(double)basic / step:0.000}");
        }
        AnsiConsole.Write(table);
    }

    private static string Share(GenerationRun run, Func<StepRun, long> of) => $"{100 * run.DecodeShare(of):0.0} % ({100 * run.Share(of):0.0} %)";

    private static string Seconds(long picoseconds) => $"{picoseconds / 1e12:#,0.000} s";

    private static string Milliseconds(long picoseconds) => $"{picoseconds / 1e9:#,0.000} ms";
}
