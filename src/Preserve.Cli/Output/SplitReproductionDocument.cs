using System.Text.Json;
using Preserve.Exploration;

namespace Preserve.Cli.Output;

/// <summary>What <c>reproduce kv-split --json</c> prints. The names are documented in docs/reproduce-kv-split.schema.json.</summary>
internal sealed record SplitReproductionDocument(
    string Device, double FittedLinkGigabytesPerSecond, double FittedLayerMilliseconds, IReadOnlyList<ReproducedLatencyDocument> Latencies, IReadOnlyList<string> Notes,
    IReadOnlyList<NoteDocument> Assumed, IReadOnlyList<NoteDocument> Doubtful)
{
    public static SplitReproductionDocument Of(Device device, IReadOnlyList<ReproducedLatency> rows) => new(
        device.Id, SplitReproduction.LinkGigabytesPerSecond, SplitReproduction.LayerMilliseconds, [.. rows.Select(ReproducedLatencyDocument.Of)], ReadingNotes,
        [.. device.AssumedFields.Select(NoteDocument.Of)], [.. device.DoubtfulFields.Select(NoteDocument.Of)]);

    public string ToJson() => JsonSerializer.Serialize(this, DocumentContext.Default.SplitReproductionDocument);

    private static string[] ReadingNotes =>
    [
        $"modelled as published: that system moves the full static length, prompt and tokens, in every step; one layer of the stack crosses no link; a layer's own {SplitReproduction.LayerMilliseconds} ms are not hidden; l is half of the prompt",
        $"the link's {SplitReproduction.LinkGigabytesPerSecond} GB/s and the layer's {SplitReproduction.LayerMilliseconds} ms are fitted to the baseline column of OPT-13B, and to nothing else",
        "optimised: lengths that grow, copies a layer ahead, kernels by the device's own laws, the split that the simulation finds fastest; the link has the fitted rate",
        "the published runs gain about half of what the published optimum promises",
        "not repeated: the throughput tables, which offload weights and let a layer serve several batches; such schedules are not planned for yet",
    ];
}

/// <summary>A published row beside what comes of it on the model. Seconds of the decode steps.</summary>
internal sealed record ReproducedLatencyDocument(
    string Model, int Batch, int Prompt, int Tokens, double PublishedBaseline, double PublishedSplit, double ModelledBaseline, double ModelledSplit,
    double BaselineErrorPercent, double SplitErrorPercent, double OptimisedBaseline, double OptimisedSplit, double OptimisedSpeedup, int FirstRecomputedTokens, SplitDocument? Split, string? Note)
{
    public static ReproducedLatencyDocument Of(ReproducedLatency row) => new(
        row.Published.Model, PublishedLatency.Batch, row.Published.Prompt, row.Published.Tokens, row.Published.BaselineSeconds, row.Published.SplitSeconds,
        row.ModelledBaselineSeconds, row.ModelledSplitSeconds, 100 * row.BaselineError, 100 * row.SplitError, row.BaseSeconds, row.OptimisedSeconds,
        row.BaseSeconds / row.OptimisedSeconds, row.FirstTokens, SplitDocument.Of(row.Split), row.Published.Note);
}
