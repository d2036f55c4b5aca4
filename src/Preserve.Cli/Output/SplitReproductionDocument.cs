using System.Text.Json;
using Preserve.Exploration;

namespace Preserve.Cli.Output;

/// <summary>What <c>reproduce kv-split --json</c> prints. The names are documented in docs/reproduce-kv-split.schema.json.</summary>
internal sealed record SplitReproductionDocument(
    string Device, double FittedLinkGigabytesPerSecond, double FittedLayerMilliseconds,
    double PublishedBaselineUtilisationPercent, double PublishedSplitUtilisationPercent, IReadOnlyList<ReproducedLatencyDocument> Latencies,
    IReadOnlyList<ReproducedThroughputDocument> Throughputs, IReadOnlyList<string> Notes,
    IReadOnlyList<NoteDocument> Assumed, IReadOnlyList<NoteDocument> Doubtful)
{
    public static SplitReproductionDocument Of(Device device, IReadOnlyList<ReproducedLatency> rows, IReadOnlyList<ReproducedThroughput> columns) => new(
        device.Id, SplitReproduction.LinkGigabytesPerSecond, SplitReproduction.LayerMilliseconds,
        100 * Utilisation.PublishedBaseline, 100 * Utilisation.PublishedSplit, [.. rows.Select(ReproducedLatencyDocument.Of)],
        [.. columns.Select(ReproducedThroughputDocument.Of)], [.. AnotherDevice(device, rows), .. ReadingNotes],
        [.. device.AssumedFields.Select(NoteDocument.Of), .. Others(device, columns, d => d.AssumedFields)],
        [.. device.DoubtfulFields.Select(NoteDocument.Of), .. Others(device, columns, d => d.DoubtfulFields)]);

    /// <summary>Notes on the devices of the throughput rows, with the device's id before the field.</summary>
    private static IEnumerable<NoteDocument> Others(Device device, IReadOnlyList<ReproducedThroughput> columns, Func<Device, IEnumerable<FieldNote>> notes) =>
        from other in columns.Select(c => ThroughputReproduction.DeviceOf(c.Published)).DistinctBy(d => d.Id)
        where other.Id != device.Id
        from note in notes(other)
        select new NoteDocument($"{other.Id}: {note.Field}", note.Note);

    public string ToJson() => JsonSerializer.Serialize(this, DocumentContext.Default.SplitReproductionDocument);

    /// <summary>What latencies on another device than the published one are of.</summary>
    private static IEnumerable<string> AnotherDevice(Device device, IReadOnlyList<ReproducedLatency> rows) => rows.Count == 0 || device.Id == PublishedThroughput.Server ? [] :
    [
        $"KVPR ran on {PublishedThroughput.Server}: what is published is of that device, and so are the link's rate in both other columns and the layer's time in modelled as published; of {device.Id} are the recomputation there and the kernels of optimised",
    ];

    private static string[] ReadingNotes =>
    [
        $"modelled as published: that system moves the full static length, prompt and tokens, in every step; one layer of the stack crosses no link; a layer's own {SplitReproduction.LayerMilliseconds} ms are not hidden; l is half of the prompt",
        $"the link's {SplitReproduction.LinkGigabytesPerSecond} GB/s and the layer's {SplitReproduction.LayerMilliseconds} ms are fitted to the baseline column of OPT-13B, and to nothing else",
        "optimised: lengths that grow, copies a layer ahead, kernels by the device's own laws, the split that the simulation finds fastest; the link has the fitted rate",
        "the published runs gain about half of what the published optimum promises",
        "by formula: the tokens that the published formula would have recomputed in the first and in the last decode step, with the link's rate and the device's peak, the best whole number; it counts neither fixed costs nor other work, and hides X under nothing",
        $"kernels run: the part of the time in which a kernel does; published, of a run that is not named, is a GPU utilisation of {100 * Utilisation.PublishedBaseline:0} % with all transferred and {100 * Utilisation.PublishedSplit:0} % with a part recomputed",
        $"throughput: weights and KV-cache on the host, each layer serves {PublishedThroughput.Batches} batches of {PublishedThroughput.Batch}, the prefill counts; as published again means the static length and half of the prompt, with copies beside work as FlexGen has them, and kernels by the device's own laws",
        "throughput on the A100 has the link's fitted rate and a published gain at most over lengths that are not named; the RTX 5000 has 0.8 of its nominal 16 GB/s, as device files assume; nothing is fitted to a throughput",
    ];
}

/// <summary>A published row of throughput beside what comes of it on the model. Tokens of all sequences per second, the prefill included.</summary>
internal sealed record ReproducedThroughputDocument(
    string Model, string Device, int Batch, int Batches, int Prompt, int Tokens, double? PublishedBaseline, double? PublishedSplit, double? PublishedGainPercent, double? PublishedMostGainPercent,
    double ModelledBaseline, double ModelledSplit, double ModelledGainPercent, double? BaselineErrorPercent, double? SplitErrorPercent,
    double OptimisedBaseline, double OptimisedSplit, double OptimisedGainPercent,
    int FirstRecomputedTokens, PublishedOptimumDocument PublishedOptimum, UtilisationDocument UtilisationPercent, SplitDocument? Split)
{
    public static ReproducedThroughputDocument Of(ReproducedThroughput row) => new(
        row.Published.Model, row.Published.Device, PublishedThroughput.Batch, PublishedThroughput.Batches, row.Published.Prompt, row.Published.Tokens,
        row.Published.BaselineTokensPerSecond, row.Published.SplitTokensPerSecond, row.Published.GainPercent, row.Published.MostGainPercent,
        row.ModelledBaseline, row.ModelledSplit, row.ModelledGainPercent, 100 * row.BaselineError, 100 * row.SplitError, row.Base, row.Optimised, row.OptimisedGainPercent,
        row.FirstTokens, PublishedOptimumDocument.Of(row.Optimum), UtilisationDocument.Of(row.Utilisation), SplitDocument.Of(row.Split));
}

/// <summary>Tokens that the published formula would have recomputed.</summary>
internal sealed record PublishedOptimumDocument(int FirstTokens, int LastTokens)
{
    public static PublishedOptimumDocument Of(PublishedOptimum optimum) => new(optimum.First, optimum.Last);
}

/// <summary>Parts of the times in which a kernel runs.</summary>
internal sealed record UtilisationDocument(double ModelledBaseline, double ModelledSplit, double OptimisedBaseline, double OptimisedSplit)
{
    public static UtilisationDocument Of(Utilisation u) => new(100 * u.ModelledBaseline, 100 * u.ModelledSplit, 100 * u.Base, 100 * u.Optimised);
}

/// <summary>A published row beside what comes of it on the model. Seconds of the decode steps.</summary>
internal sealed record ReproducedLatencyDocument(
    string Model, int Batch, int Prompt, int Tokens, double PublishedBaseline, double PublishedSplit, double ModelledBaseline, double ModelledSplit,
    double BaselineErrorPercent, double SplitErrorPercent, double OptimisedBaseline, double OptimisedSplit, double OptimisedSpeedup, int FirstRecomputedTokens,
    PublishedOptimumDocument PublishedOptimum, UtilisationDocument UtilisationPercent, SplitDocument? Split, string? Note)
{
    public static ReproducedLatencyDocument Of(ReproducedLatency row) => new(
        row.Published.Model, PublishedLatency.Batch, row.Published.Prompt, row.Published.Tokens, row.Published.BaselineSeconds, row.Published.SplitSeconds,
        row.ModelledBaselineSeconds, row.ModelledSplitSeconds, 100 * row.BaselineError, 100 * row.SplitError, row.BaseSeconds, row.OptimisedSeconds,
        row.BaseSeconds / row.OptimisedSeconds, row.FirstTokens, PublishedOptimumDocument.Of(row.Optimum), UtilisationDocument.Of(row.Utilisation),
        SplitDocument.Of(row.Split), row.Published.Note);
}
