namespace Preserve.Profiling;

/// <summary>Which copy is timed.</summary>
/// <param name="Direction">From the host to the device, or back.</param>
/// <param name="Pinned">Whether the host's memory is pinned; other memory passes through a pinned buffer.</param>
/// <param name="BothDirections">Whether as much is copied in the other direction meanwhile.</param>
public sealed record CopyKind(TransferDirection Direction, bool Pinned, bool BothDirections)
{
    /// <summary>The copy in words, such as <c>to the device from pinned memory</c>.</summary>
    public override string ToString() =>
        $"{(Direction == TransferDirection.HostToDevice ? "to the device from" : "to the host into")} {(Pinned ? "pinned" : "pageable")} memory{(BothDirections ? ", with as much in the other direction" : "")}";
}
