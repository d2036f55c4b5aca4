using System.Text.Json;

namespace Preserve.Cli.Output;

/// <summary>What <c>generate --json</c> prints. The names are documented in docs/generate.schema.json.</summary>
internal sealed record GenerationDocument
{
    public required string Model { get; init; }

    public required string Device { get; init; }

    public required int TensorParallel { get; init; }

    public required int Batch { get; init; }

    public required int Batches { get; init; }

    public required int Prompt { get; init; }

    public required int Tokens { get; init; }

    public required string KvHome { get; init; }

    public required string WeightHome { get; init; }

    public required string Prefetch { get; init; }

    public required RunDocument Base { get; init; }

    public required RunDocument This { get; init; }

    public required double Speedup { get; init; }

    public required SplitDocument? Split { get; init; }

    public required long DeviceBytes { get; init; }

    public required long HostBytes { get; init; }

    public required IReadOnlyList<GeneratedStepDocument> Steps { get; init; }

    public required IReadOnlyList<string> Unmeasured { get; init; }

    public required double MeasuredShare { get; init; }

    public required IReadOnlyList<NoteDocument> Assumed { get; init; }

    public required IReadOnlyList<NoteDocument> Doubtful { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    public void Write(TextWriter output) => output.WriteLine(JsonSerializer.Serialize(this, DocumentContext.Default.GenerationDocument));
}

/// <summary>A generation's run.</summary>
internal sealed record RunDocument(
    decimal PrefillMicroseconds, decimal DecodeMicroseconds, decimal TotalMicroseconds, double TokensPerSecond, decimal FirstStepMicroseconds, decimal LastStepMicroseconds,
    double KernelShare, double HbmShare, double HbmBusyShare, double CollectiveShare, double CopyToDeviceShare, double CopyToHostShare, double CopyExposedShare, double CopyHiddenShare,
    SharesDocument Whole)
{
    /// <param name="run">The run.</param>
    /// <param name="memoryShare">The part of the memory's rate that its decode steps use.</param>
    public static RunDocument Of(GenerationRun run, double memoryShare)
    {
        var decode = SharesDocument.Of(run.DecodeShare);
        return new(
            Simulation.Microseconds(run.Prefill.Picoseconds), Simulation.Microseconds(run.DecodePicoseconds), Simulation.Microseconds(run.Picoseconds), run.TokensPerSecond,
            Simulation.Microseconds(run.Decode[0].Picoseconds), Simulation.Microseconds(run.Decode[^1].Picoseconds),
            decode.KernelShare, memoryShare, decode.HbmBusyShare, decode.CollectiveShare, decode.CopyToDeviceShare, decode.CopyToHostShare, decode.CopyExposedShare, decode.CopyHiddenShare,
            SharesDocument.Of(run.Share));
    }
}

/// <summary>Parts of a time in which each resource is busy.</summary>
internal sealed record SharesDocument(
    double KernelShare, double HbmBusyShare, double CollectiveShare, double CopyToDeviceShare, double CopyToHostShare, double CopyExposedShare, double CopyHiddenShare)
{
    public static SharesDocument Of(Func<Func<StepRun, long>, double> share) => new(
        share(s => s.KernelPicoseconds), share(s => s.HbmBusyPicoseconds), share(s => s.CollectivePicoseconds), share(s => s.CopyToDevicePicoseconds),
        share(s => s.CopyToHostPicoseconds), share(s => s.CopyExposedPicoseconds), share(s => s.CopyHiddenPicoseconds));
}

/// <summary>A decode step of a generation.</summary>
internal sealed record GeneratedStepDocument(int Context, int RecomputedTokens, decimal BaseMicroseconds, decimal StepMicroseconds);
