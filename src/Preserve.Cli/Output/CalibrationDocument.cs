using System.Text.Json;

namespace Preserve.Cli.Output;

/// <summary>What <c>calibrate --json</c> prints. The names are documented in docs/calibrate.schema.json.</summary>
internal sealed record CalibrationDocument(
    string System, string Device, int Multiprocessors, string Command, IReadOnlyList<ValidationRow> Results, IReadOnlyList<string> Dropped,
    IReadOnlyList<string> NotUsed, IReadOnlyList<SkippedSystem> Skipped, IReadOnlyList<string> NotFitted, IReadOnlyList<string> NotKept, IReadOnlyList<string> Doubts, string? Written)
{
    public string ToJson() => JsonSerializer.Serialize(this, DocumentContext.Default.CalibrationDocument);
}
