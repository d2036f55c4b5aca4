namespace Preserve;

/// <summary>Constants of the calibrated cost laws of one device, with what they were made of.</summary>
/// <remarks>At most eight constants per kernel, precision and device, each with a unit and a bound that physics sets; no measured
/// row stands in it. Where a part is missing, the nominal law of the device takes its place.</remarks>
/// <param name="Command">The command that made it.</param>
/// <param name="Multiprocessors">Multiprocessors that share tiles: a fact of the chip, not a fit.</param>
/// <param name="Tables">The rows it was made of, by table.</param>
/// <param name="MatMul">Matrix multiplication, by precision.</param>
/// <param name="Decode">Attention of one new token per sequence.</param>
/// <param name="Prefill">Attention of whole prompts.</param>
/// <param name="SmallOperators">Norms and elementwise operators.</param>
/// <param name="Collectives">Collectives, by library, kind and ranks.</param>
/// <param name="HostTransfer">Transfers between host and device.</param>
public sealed record DeviceCalibration(
    string Command,
    int Multiprocessors,
    EquatableArray<CalibratedTable> Tables,
    EquatableArray<MatMulCalibration> MatMul,
    DecodeAttentionConstants? Decode,
    PrefillAttentionConstants? Prefill,
    EquatableArray<SmallOperatorConstants> SmallOperators,
    EquatableArray<CollectiveCalibration> Collectives,
    HostTransferConstants? HostTransfer)
{
    /// <summary>Elements of each head in the tables of attention: no other size was measured.</summary>
    public const int MeasuredHeadSize = 128;

    /// <summary>Whether it has no constants of kernels or collectives.</summary>
    public bool IsEmpty => MatMul.Count + SmallOperators.Count + Collectives.Count == 0 && Decode is null && Prefill is null;
}

/// <summary>Rows of one table that a calibration was made of.</summary>
/// <param name="Table">Name of the table.</param>
/// <param name="Rows">Rows of this device's system of which constants were made or judged, and those that were dropped.</param>
/// <param name="HeldOut">Rows of the shapes that the fit never saw.</param>
/// <param name="Dropped">Rows that cannot be, or that the table's notes name as outliers.</param>
public sealed record CalibratedTable(string Table, int Rows, int HeldOut, int Dropped);

/// <summary>Where measured times lie about a law's time: eight of ten between <paramref name="Low"/> and <paramref name="High"/>
/// times what the law says.</summary>
/// <param name="Low">The lower ratio of measured to predicted time.</param>
/// <param name="High">The upper ratio.</param>
public sealed record ResidualBand(double Low, double High);
