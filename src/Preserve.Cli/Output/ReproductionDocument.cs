using System.Text.Json;
using Preserve.Exploration;

namespace Preserve.Cli.Output;

/// <summary>What <c>reproduce prefetch --json</c> prints. The names are documented in docs/reproduce.schema.json.</summary>
internal sealed record ReproductionDocument
{
    public required string Device { get; init; }

    public required double PublishedLeast { get; init; }

    public required double PublishedMost { get; init; }

    public required int DecodeSections { get; init; }

    public required IReadOnlyList<ComparisonDocument> Rows { get; init; }

    public required IReadOnlyList<NotRunDocument> NotRun { get; init; }

    public required IReadOnlyList<LatencyDocument> OverLatency { get; init; }

    public required IReadOnlyList<ConstantSensitivityDocument> Sensitivity { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    public required IReadOnlyList<NoteDocument> Assumed { get; init; }

    public required IReadOnlyList<NoteDocument> Doubtful { get; init; }

    /// <param name="device">The device, with those marks alone that the rows' times depend on.</param>
    /// <param name="rows">All configurations.</param>
    /// <param name="latencies">The main setting over the time of a small all-reduce.</param>
    /// <param name="sensitivity">The main setting with other values of what is assumed.</param>
    public static ReproductionDocument Of(Device device, IReadOnlyList<Comparison> rows, IReadOnlyList<LatencyPoint> latencies, IReadOnlyList<SensitivityPoint> sensitivity) => new()
    {
        Device = device.Id,
        PublishedLeast = Reproduction.PublishedLeast,
        PublishedMost = Reproduction.PublishedMost,
        DecodeSections = RequestTiming.DefaultSections,
        Rows = [.. rows.Where(r => r.WhyNot is null).Select(ComparisonDocument.Of)],
        NotRun = [.. rows.Where(r => r.WhyNot is not null).Select(r => new NotRunDocument(Name(r), r.Requests.Ranks, r.Requests.Batch, r.Requests.Length, r.WhyNot!))],
        OverLatency = [.. latencies.Where(p => p.Comparison.WhyNot is null).Select(p => new LatencyDocument(p.Microseconds, ComparisonDocument.Of(p.Comparison)))],
        Sensitivity = [.. sensitivity.Where(p => p.Comparison.WhyNot is null).Select(p => new ConstantSensitivityDocument(p.Constant.Name, p.Constant.Value(device), p.Factor, ComparisonDocument.Of(p.Comparison)))],
        Notes = [.. NotesOf(device, rows, latencies, sensitivity)],
        Assumed = [.. device.AssumedFields.Select(NoteDocument.Of)],
        Doubtful = [.. device.DoubtfulFields.Select(NoteDocument.Of)],
    };

    public string ToJson() => JsonSerializer.Serialize(this, DocumentContext.Default.ReproductionDocument);

    /// <summary>Which parts are left out, and why.</summary>
    private static IEnumerable<string> NotesOf(Device device, IReadOnlyList<Comparison> rows, IReadOnlyList<LatencyPoint> latencies, IReadOnlyList<SensitivityPoint> sensitivity)
    {
        if (!rows.Any(r => r.IsMain))
            yield return $"no configuration of batch {Reproduction.MainBatch} and length {Reproduction.MainLength} is among those that ran: its table, the times of an all-reduce and the assumed constants are left out";
        else if (latencies.Count == 0)
            yield return $"the times of an all-reduce are left out: on {device.Id} they were measured; preserve explain gives what half and twice of them do to a step";
        if (rows.Any(r => r.IsMain) && sensitivity.Count == 0)
            yield return $"the assumed constants are left out: no time depends on one that {device.Id} assumes or doubts";
    }

    private static string Name(Comparison row) => row.Requests.Model.Name;
}

/// <summary>One static batch of requests.</summary>
internal sealed record ComparisonDocument(
    string Model, int Ranks, int Batch, int Length, int SequencesPerPrefill, decimal PrefillMilliseconds, decimal DecodeMilliseconds,
    double CollectiveShare, double CollectiveToPrefetch, IReadOnlyList<TechniqueDocument> Techniques)
{
    public static ComparisonDocument Of(Comparison c) => new(
        c.Requests.Model.Name, c.Requests.Ranks, c.Requests.Batch, c.Requests.Length, c.SequencesPerPrefill,
        Milliseconds(c.Plain!.PrefillPicoseconds), Milliseconds(c.Plain.DecodePicoseconds), c.Balance!.CollectiveShare, c.Balance.Ratio,
        [.. c.Times.Select(t => new TechniqueDocument(t.Technique.Name, c.Speedup(t.Technique), c.DecodeSpeedup(t.Technique)))]);

    public TechniqueDocument Technique(Technique technique) => Techniques.First(t => t.Name == technique.Name);

    private static decimal Milliseconds(double picoseconds) => Math.Round((decimal)picoseconds / 1e9m, 6);
}

/// <summary>How many times as fast as the plain plan a technique is.</summary>
internal sealed record TechniqueDocument(string Name, double EndToEnd, double Decode);

/// <summary>A batch of requests that cannot run.</summary>
internal sealed record NotRunDocument(string Model, int Ranks, int Batch, int Length, string Reason);

/// <summary>A comparison with another time of a small all-reduce.</summary>
internal sealed record LatencyDocument(double Microseconds, ComparisonDocument Result);

/// <summary>A comparison with another value of an assumed constant.</summary>
internal sealed record ConstantSensitivityDocument(string Constant, string Declared, double Factor, ComparisonDocument Result);
