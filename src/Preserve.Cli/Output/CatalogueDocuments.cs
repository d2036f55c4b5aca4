namespace Preserve.Cli.Output;

/// <summary>A device, as <c>devices --json</c> lists it.</summary>
internal sealed record DeviceDocument(
    string Id, string Name, double Bf16Teraflops, double HbmGigabytes, double HbmGigabytesPerSecond, double? L2Mebibytes, double? L2TerabytesPerSecond,
    double LinkGigabytesPerSecond, bool Calibrated, IReadOnlyList<NoteDocument> Assumed, IReadOnlyList<NoteDocument> Doubtful)
{
    public static DeviceDocument Of(Device d) => new(
        d.Id, d.Name, d.Compute.Bf16Teraflops, d.Hbm.CapacityGigabytes, d.Hbm.SustainedGigabytesPerSecond, d.L2.CapacityMebibytes, d.L2.ReadTerabytesPerSecond,
        d.ScaleUp.GigabytesPerSecondPerDirection, d.Calibration is not null, [.. d.AssumedFields.Select(NoteDocument.Of)], [.. d.DoubtfulFields.Select(NoteDocument.Of)]);
}

/// <summary>A remark on a field.</summary>
internal sealed record NoteDocument(string Field, string Note)
{
    public static NoteDocument Of(FieldNote note) => new(note.Field, note.Note);
}

/// <summary>A model, as <c>models --json</c> lists it.</summary>
internal sealed record ModelDocument(string Id, IReadOnlyList<string> Names, long? Parameters, bool Supported, IReadOnlyList<string> Notes);
