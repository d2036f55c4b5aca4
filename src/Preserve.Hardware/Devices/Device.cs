using System;

namespace Preserve;

/// <summary>One accelerator: its resources, their rates, and the constants of its cost laws.</summary>
/// <remarks>Rates are decimal (1 GB is 10^9 bytes, 1 TB/s is one byte per picosecond), the L2 is counted in MiB (2^20 bytes).
/// Every value is the effective one; where a device file leaves a value out, what stands for it is listed in
/// <paramref name="AssumedFields"/>.</remarks>
/// <param name="Id">Its id, as deployments name it.</param>
/// <param name="Name">Its full name.</param>
/// <param name="Vendor">Who makes it.</param>
/// <param name="Architecture">Its instruction set or generation.</param>
/// <param name="Compute">Peak matrix rates.</param>
/// <param name="Hbm">Its memory.</param>
/// <param name="L2">The on-chip memory that prefetches fill.</param>
/// <param name="ScaleUp">The link to the other ranks.</param>
/// <param name="HostLink">The link to the host.</param>
/// <param name="Kernels">Constants of kernels.</param>
/// <param name="Collectives">Constants of collectives.</param>
/// <param name="Chip">Facts about the chip that no cost law uses.</param>
/// <param name="AssumedFields">Values that are assumptions, with the reason for each.</param>
/// <param name="DoubtfulFields">Values that stand in sources but are doubtful, with the doubt.</param>
/// <param name="Sources">Where values come from, by field or section.</param>
/// <param name="Calibration">Constants that were fitted to measured times; null where nothing was measured.</param>
public sealed record Device(
    string Id,
    string Name,
    string Vendor,
    string Architecture,
    ComputeRates Compute,
    HbmMemory Hbm,
    L2Cache L2,
    ScaleUpLink ScaleUp,
    HostLink HostLink,
    KernelConstants Kernels,
    CollectiveConstants Collectives,
    ChipFacts Chip,
    EquatableArray<FieldNote> AssumedFields,
    EquatableArray<FieldNote> DoubtfulFields,
    EquatableArray<FieldNote> Sources,
    DeviceCalibration? Calibration = null)
{
    /// <summary>Bytes of the device's memory.</summary>
    public long MemoryBytes => (long)(Hbm.CapacityGigabytes * 1e9);

    /// <summary>Bytes of the host's memory, which the ranks of a host share; null where they are not known.</summary>
    public long? HostMemoryBytes => HostLink.HostMemoryGigabytes is { } capacity ? (long)(capacity * 1e9) : null;

    /// <summary>Whether the ranks are joined by what joins each to the host: of one kind, they are one slot, and what crosses both shares it.</summary>
    public bool LinksAreOne => ScaleUp.Kind == HostLink.Kind;

    /// <summary>Whether capacity and read rate of the L2 are known. Without them nothing is prefetched.</summary>
    public bool L2Known => L2.UsableMebibytes is not null && L2.ReadTerabytesPerSecond is not null;

    /// <summary>Which fields say too little of the L2 to prefetch into it, as a sentence; null where it is known.</summary>
    public string? UnknownL2 => (L2.UsableMebibytes, L2.ReadTerabytesPerSecond) switch
    {
        (null, null) => $"l2.capacity_mebibytes and l2.read_terabytes_per_second of {Id} are not known",
        (null, _) => $"l2.capacity_mebibytes of {Id} is not known",
        (_, null) => $"l2.read_terabytes_per_second of {Id} is not known",
        _ => null,
    };

    /// <summary>Constants of copies between host and device: those that were measured, else those of the link.</summary>
    public HostTransferConstants HostTransfer => Calibration?.HostTransfer ?? new HostTransferConstants(
        HostLink.LatencyMicroseconds, HostLink.SustainedGigabytesPerSecond, HostLink.LatencyMicroseconds,
        HostLink.PageableGigabytesPerSecond, HostLink.DuplexShare, HostLink.HostMemoryGigabytesPerSecond);

    /// <summary>Bytes that prefetches may fill: the usable part of the L2, 0 where it is unknown.</summary>
    public long PrefetchRoomBytes => L2Known ? Residency.FullBytes : 0;

    /// <summary>Bytes of the L2 that only prefetches fill.</summary>
    public long SetAsideBytes => (long)(L2.SetAsideMebibytes * (1 << 20));

    /// <summary>Bytes of the L2 beyond which nothing is found again; 0 where it is unknown.</summary>
    public long L2LimitBytes => L2Known ? Residency.LimitBytes : 0;

    /// <summary>What the L2 keeps, whether its read rate is known or not. Where the limit was not measured it is a third more than the usable
    /// part, and no more than there is.</summary>
    internal ResidencyCurve Residency
    {
        get
        {
            var full = (long)(L2.UsableMebibytes.GetValueOrDefault() * (1 << 20));
            var limit = L2.LimitMebibytes is { } measured
                ? (long)(measured * (1 << 20))
                : Math.Min(full / 3 * 4, (long)(L2.CapacityMebibytes.GetValueOrDefault() * (1 << 20)));
            return new ResidencyCurve(full, Math.Max(full, limit));
        }
    }
}

/// <summary>A remark on a field of a device file.</summary>
/// <param name="Field">The field's path, such as <c>hbm.sustained_gigabytes_per_second</c>, or a section, such as <c>hbm</c>.</param>
/// <param name="Note">The remark.</param>
public sealed record FieldNote(string Field, string Note)
{
    /// <summary>Whether a path is that of a field, or of something inside it.</summary>
    /// <param name="path">The path.</param>
    /// <param name="field">The field or section.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static bool IsWithin(string path, string field) =>
        (path ?? throw new ArgumentNullException(nameof(path))) == (field ?? throw new ArgumentNullException(nameof(field))) || path.StartsWith(field + ".", StringComparison.Ordinal);
}
