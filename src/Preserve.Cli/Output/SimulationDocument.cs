using System.Text.Json;
using System.Text.Json.Serialization;

namespace Preserve.Cli.Output;

/// <summary>What <c>simulate --json</c> prints. The names are documented in docs/simulate.schema.json.</summary>
internal sealed record SimulationDocument
{
    public required string Model { get; init; }

    public required string Device { get; init; }

    public required int TensorParallel { get; init; }

    public required string Phase { get; init; }

    public required int Batch { get; init; }

    public required int Batches { get; init; }

    public required int Context { get; init; }

    public required string Prefetch { get; init; }

    public required string PrefetchTargets { get; init; }

    public required string KvHome { get; init; }

    public required string WeightHome { get; init; }

    public required SplitDocument? Split { get; init; }

    public required int? KvBlockTokens { get; init; }

    public required decimal BaseMicroseconds { get; init; }

    public required decimal StepMicroseconds { get; init; }

    public required decimal? BaseLowMicroseconds { get; init; }

    public required decimal? BaseHighMicroseconds { get; init; }

    public required decimal? StepLowMicroseconds { get; init; }

    public required decimal? StepHighMicroseconds { get; init; }

    public required IReadOnlyList<string> Unmeasured { get; init; }

    public required double MeasuredShare { get; init; }

    public required decimal LowerBoundMicroseconds { get; init; }

    public required string LowerBoundBy { get; init; }

    public required double Speedup { get; init; }

    public required string Reason { get; init; }

    public required decimal CollectiveMicroseconds { get; init; }

    public required decimal? CollectiveLowMicroseconds { get; init; }

    public required decimal? CollectiveHighMicroseconds { get; init; }

    public required double CollectiveShare { get; init; }

    public required decimal ReachableMicroseconds { get; init; }

    public required decimal ElsewhereMicroseconds { get; init; }

    public required decimal? GainAtHalfMicroseconds { get; init; }

    public required decimal? GainAtTwiceMicroseconds { get; init; }

    public required GuardDocument? Guard { get; init; }

    public required IReadOnlyList<int[]> Pauses { get; init; }

    public required long MemoryBytes { get; init; }

    public required long HostBytes { get; init; }

    public required IReadOnlyList<NoteDocument> Assumed { get; init; }

    public required IReadOnlyList<NoteDocument> Doubtful { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    public required IReadOnlyList<WindowDocument> Windows { get; init; }

    public void Write(TextWriter output) => output.WriteLine(JsonSerializer.Serialize(this, DocumentContext.Default.SimulationDocument));
}

/// <summary>A window, once for all layers in which it is the same.</summary>
internal sealed record WindowDocument(
    string Collective, IReadOnlyList<int>? Layers, decimal WindowMicroseconds, decimal? WindowLowMicroseconds, decimal? WindowHighMicroseconds, long PrefetchedBytes, decimal HiddenMicroseconds, decimal SavedMicroseconds,
    IReadOnlyList<CandidateDocument> Candidates);

/// <summary>A tensor that is read after a collective and before the next, of one rank.</summary>
internal sealed record CandidateDocument(string Tensor, long Bytes, long PrefetchedBytes, string Verdict, string Reason);

/// <summary>Whether the gain is sure, and between what it lies with 80 %.</summary>
internal sealed record GuardDocument(string Outcome, decimal? LowMicroseconds, decimal? HighMicroseconds);

/// <summary>How a KV-cache in the host's memory is brought: bytes are those of one token of every sequence.</summary>
internal sealed record SplitDocument(string Outcome, int RecomputedTokens, long ActivationBytes, long KeyValueBytes, string Reason)
{
    public static SplitDocument? Of(SplitReport? split) => split is null ? null : new(
        Names.SplitOutcomes[split.Outcome], split.RecomputedTokens, split.ActivationBytes, split.KeyValueBytes, split.Reason);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(SimulationDocument))]
[JsonSerializable(typeof(GenerationDocument))]
[JsonSerializable(typeof(SplitReproductionDocument))]
[JsonSerializable(typeof(ReproductionDocument))]
[JsonSerializable(typeof(ExplorationDocument))]
[JsonSerializable(typeof(BudgetDocument))]
[JsonSerializable(typeof(IReadOnlyList<DeviceDocument>))]
[JsonSerializable(typeof(IReadOnlyList<ModelDocument>))]
[JsonSerializable(typeof(ValidationDocument))]
[JsonSerializable(typeof(CalibrationDocument))]
[JsonSerializable(typeof(DeclarationDocument))]
internal sealed partial class DocumentContext : JsonSerializerContext;
