namespace Preserve.Cli.Output;

/// <summary>What <c>validate --json</c> prints. The names are documented in docs/validate.schema.json.</summary>
internal sealed record ValidationDocument(IReadOnlyList<ValidationRow> Results, IReadOnlyList<string> Dropped, IReadOnlyList<string> NotCompared, IReadOnlyList<SkippedSystem> Skipped,
    IReadOnlyList<string> Doubts);

/// <summary>A system of the tables that was not compared, or not used.</summary>
internal sealed record SkippedSystem(string System, int Rows);

/// <summary>How predicted times compare with measured ones, for one kind of rows. Errors in percent; the share inside the band from 0 to 1.</summary>
internal sealed record ValidationRow(
    string Table, string System, string Kind, string Part, int Rows, int Dropped, double Mape, double P50, double P90, double Bias, double? InsideBand)
{
    public static ValidationRow Of(ValidationResult r) => new(
        Path.GetFileNameWithoutExtension(r.Table), r.System, r.Kind, PartName(r.Part), r.Rows, r.Dropped,
        Math.Round(r.Mape, 3), Math.Round(r.P50, 3), Math.Round(r.P90, 3), Math.Round(r.Bias, 3), r.InsideBand is { } inside ? Math.Round(inside / 100, 4) : null);

    public static string PartName(ValidatedPart part) => part switch
    {
        ValidatedPart.HeldOut => "held-out",
        ValidatedPart.Fitted => "fitted",
        _ => "all",
    };
}
