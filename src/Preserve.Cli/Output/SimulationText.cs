using Spectre.Console;

namespace Preserve.Cli.Output;

/// <summary>The parts of a simulation that several verbs print.</summary>
internal static class SimulationText
{
    public static void PrintHead(Simulation simulation)
    {
        var (plan, spec) = (simulation.Plan, simulation.Deployed.Spec);
        Console.WriteLine($"{plan.Model} on {plan.Ranks} x {simulation.Deployed.Device.Name}: {plan.Step}");
        Console.WriteLine(
            $"weights {Name(spec.Weights)}, activations {Name(spec.Activations)}, KV-cache {Name(spec.KeyValues)}; each rank holds {simulation.Report.WeightBytes / 1e9:0.0} GB of weights{(simulation.HasHostWeights ? $", {simulation.HostWeightBytes / 1e9:0.0} GB of them in the host's memory" : "")}, " +
            $"{simulation.Report.KeyValueBytes / 1e9:0.0} GB of KV-cache{(simulation.HasHostCache ? " in the host's memory" : "")}, {plan.ArenaBytes / 1e6:0.0} MB of values{(simulation.HasStoredActivations ? $"; with the stored activations {simulation.HostBytes / 1e9:0.0} GB in the host's memory" : "")}");
        if (plan.Batches > 1)
            Console.WriteLine($"column by column: each layer serves {plan.Batches} batches of {plan.Step.Batch} before the next layer");
    }

    public static void PrintTimes(Simulation simulation)
    {
        var report = simulation.Report;
        // Without it nothing is prefetched, which a note says: there is no gain to speak of.
        var l2Known = simulation.Deployed.Device.L2Known;
        var times = new Table().Border(TableBorder.None).HideHeaders().AddColumn("").AddColumn(new TableColumn("").RightAligned()).AddColumn("");
        times.AddRow("base plan", Time(simulation.BaseRun.Picoseconds), (simulation.HasHostCache ? "all of the KV-cache transferred, nothing prefetched" : "nothing prefetched") + Band(simulation.BandedBase, Simulation.StepTime));
        times.AddRow("this plan", Time(simulation.Run.Picoseconds), $"policy {simulation.Plan.Policy.ToString().ToLowerInvariant()}: {simulation.Speedup:0.000} times as fast{Band(simulation.Banded, Simulation.StepTime)}");
        times.AddRow("lower bound", Time(report.BoundPicoseconds), $"by {Markup.Escape(report.BoundBy)}; this plan takes {(double)simulation.Run.Picoseconds / report.BoundPicoseconds:0.00} times that");
        if (simulation.HasCollectives)
        {
            times.AddRow("collectives", Time(Simulation.CollectiveTime(simulation.BaseRun)),
                $"of the base plan, {100 * simulation.CollectiveShare:0.0} %: nothing else runs meanwhile{Band(simulation.BandedBase, Simulation.CollectiveTime)}");
            if (l2Known)
                times.AddRow("reachable", Time(report.ReachablePicoseconds), "what the bytes that memory can bring while collectives run would save");
        }
        var prefetches = l2Known && simulation.Plan.Policy != PrefetchPolicy.None;
        if (prefetches)
            times.AddRow("elsewhere", Time(report.ElsewherePicoseconds), "prefetches run when no collective does, which can save more");
        if (simulation.HasCollectives && (prefetches || report.Split is not null))
        {
            times.AddRow("gain at half", Time(report.GainAtHalfPicoseconds), Gain(report.GainAtHalfPicoseconds, "half"));
            times.AddRow("gain at twice", Time(report.GainAtTwicePicoseconds), Gain(report.GainAtTwicePicoseconds, "twice"));
        }
        // Of a split its own row says it.
        if (simulation.Reason != report.Split?.Reason)
            times.AddRow("why", "", Markup.Escape(simulation.Reason));
        if (report.Split is { } split)
            times.AddRow("split", $"{split.RecomputedTokens:#,0} tokens", $"recomputed, {Split(split.Outcome)}: {Markup.Escape(simulation.Deployed.ReasonOf(split))}");
        if (report.Guard is { } guard)
            times.AddRow("guard", Markup.Escape(Guard(guard.Outcome, simulation.Banded.Unmeasured.Count > 0)), guard is { LowPicoseconds: { } low, HighPicoseconds: { } high } ? $"the gain lies from {Time(low)} to {Time(high)} with 80 %" : "");
        if (report.Pauses.Count > 0)
            times.AddRow("pauses", "", $"nothing is prefetched at contexts {string.Join(", ", report.Pauses)}: what gains at {simulation.Plan.Step.MaxContext} costs time there");
        AnsiConsole.Write(times);
    }

    private static string Gain(long picoseconds, string times) =>
        $"if every collective takes {times} its time" + (picoseconds < 0 ? ": a loss, this plan is slower than the base plan then" : "");

    private static string Guard(GuardOutcome outcome, bool unmeasured) => outcome switch
    {
        GuardOutcome.Kept => unmeasured ? "sure to gain, as far as measured" : "sure to gain",
        GuardOutcome.Nominal => "too little measured to be sure",
        GuardOutcome.Refused => "not sure to gain",
        _ => "nothing to gain",
    };

    private static string Split(SplitOutcome outcome) => outcome switch
    {
        SplitOutcome.Sequential => "the activations first",
        SplitOutcome.Pipelined => "all transfers beside all work",
        SplitOutcome.Between => "between one after the other and all beside each other",
        SplitOutcome.CannotPay => "which cannot pay",
        SplitOutcome.NotFaster => "which is not faster",
        SplitOutcome.NotPossible => "as none can be",
        _ => "as none was asked for",
    };

    private static string Band(BandedRun step, Func<StepRun, long> time) => step.BandOf(time) is not { } known ? ""
        : $"; {(step.MeasuredShare(time) is < 0.995 and var share ? $"as far as measured ({Share(share)}), " : "")}four of five lie from {Range(known)}";

    /// <summary>Both ends of a band, or a dash where none is known.</summary>
    public static string Range(TimeBand? band) => band is { } known ? $"{known.LowPicoseconds / 1e6:#,0.0} to {Time(known.HighPicoseconds)}" : "-";

    /// <summary>What is not exact about the step and its model, and what is assumed or doubtful about the device.</summary>
    public static void PrintNotes(Simulation simulation)
    {
        if (LeftOut(simulation.Deployed.Device, simulation.Banded) is { } leftOut)
            Console.WriteLine($"band      {leftOut}");
        foreach (var note in simulation.Notes)
            Console.WriteLine($"note      {note}");
        foreach (var note in ConvertedFormats.Of(simulation.Plan, simulation.Deployed.Device))
            Console.WriteLine($"formats   {note}");
        foreach (var note in simulation.Deployed.Device.AssumedFields)
            Console.WriteLine($"assumed   {note.Field}: {note.Note}");
        foreach (var note in simulation.Deployed.Device.DoubtfulFields)
            Console.WriteLine($"doubtful  {note.Field}: {note.Note}");
    }

    /// <summary>What the band of a step says nothing of, or why it has none; null where all of it was measured.</summary>
    public static string? LeftOut(Device device, BandedRun step)
    {
        if (device.Calibration is null)
            return $"nothing of {device.Id} was measured: the times are those of its data sheet, and how far they are off is not known";
        if (step.Unmeasured.Count == 0)
            return null;
        var (share, lacking) = (Share(step.MeasuredShare(Simulation.StepTime)), string.Join(", ", step.Unmeasured));
        return step.BandOf(Simulation.StepTime) is null
            ? $"none: {share} of the step's time follows what was measured on {device.Id}, and how far the rest is off is not known; not measured: {lacking}"
            : $"of the measured part alone, {share} of the step's time; not measured on {device.Id}, and perhaps off by more: {lacking}";
    }

    private static string Share(double share) => $"{100 * share:0} %";

    public static string Layers(WindowReport window) => window.FirstLayer < 0
        ? "outside"
        : window.FirstLayer == window.LastLayer ? $"{window.FirstLayer}" : window.Stride == 1 ? $"{window.FirstLayer} to {window.LastLayer}" : $"{window.FirstLayer} to {window.LastLayer} by {window.Stride}";

    public static string Time(long picoseconds) => $"{picoseconds / 1e6:#,0.0} us";

    public static string Megabytes(long bytes) => $"{bytes / 1e6:#,0.0} MB";

    private static string Name(Precision precision) => precision.ToString().ToLowerInvariant();
}
