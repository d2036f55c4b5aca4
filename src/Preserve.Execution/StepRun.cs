namespace Preserve;

/// <summary>The run of one step on a backend.</summary>
/// <param name="Picoseconds">From the start of the first instruction to the end of the last.</param>
public sealed record StepRun(long Picoseconds)
{
    /// <summary>Time in which a collective runs and nothing beside it but prefetches. 0 where a backend does not measure it.</summary>
    public long CollectiveExposedPicoseconds { get; init; }

    /// <summary>Time in which a prefetch runs and no collective. 0 where a backend does not measure it.</summary>
    public long PrefetchElsewherePicoseconds { get; init; }

    /// <summary>Time in which something reads or writes memory. 0 where a backend does not measure it.</summary>
    public long HbmBusyPicoseconds { get; init; }

    /// <summary>Bytes that moved between memory and the chip, prefetched ones included. 0 where a backend does not count them.</summary>
    public long HbmBytes { get; init; }

    /// <summary>Bytes that instructions found in the L2. 0 where a backend does not count them.</summary>
    public long HotBytes { get; init; }

    /// <summary>Bytes that prefetches read. 0 where a backend does not count them.</summary>
    public long PrefetchedBytes { get; init; }

    /// <summary>Bytes of prefetches that had not arrived when their reader began, so that it read them too. 0 where a backend does not count
    /// them.</summary>
    public long LateBytes { get; init; }

    /// <summary>Time in which a kernel runs. 0 where a backend does not measure it.</summary>
    public long KernelPicoseconds { get; init; }

    /// <summary>Time in which something is copied from host memory to the device. 0 where a backend does not measure it.</summary>
    public long CopyToDevicePicoseconds { get; init; }

    /// <summary>Time in which something is copied from the device to host memory. 0 where a backend does not measure it.</summary>
    public long CopyToHostPicoseconds { get; init; }

    /// <summary>Time in which something is copied between host and device, and neither a kernel nor a collective runs. 0 where a backend does
    /// not measure it.</summary>
    public long CopyExposedPicoseconds { get; init; }

    /// <summary>Time in which something is copied between host and device beside a kernel or a collective. 0 where a backend does not measure it.</summary>
    public long CopyHiddenPicoseconds { get; init; }

    /// <summary>Time in which a collective has the scale-up link, whatever runs beside it. 0 where a backend does not measure it.</summary>
    public long CollectivePicoseconds { get; init; }

    /// <summary>Every instruction in the order of its end; empty unless the backend was asked to record it.</summary>
    public EquatableArray<InstructionRun> Timeline { get; init; }

    /// <summary>What was drawn of the device, from each time at which it changed; empty unless the backend was asked to record it.</summary>
    public EquatableArray<ResourceUse> Usage { get; init; }
}

/// <summary>What the running instructions draw of a device together.</summary>
/// <param name="StartPicoseconds">From when on, counted from the step's start.</param>
/// <param name="HbmGigabytesPerSecond">Between memory and the chip.</param>
/// <param name="L2GigabytesPerSecond">From the L2, what passes through it from memory included.</param>
/// <param name="LinkGigabytesPerSecond">Over the scale-up link into this rank.</param>
/// <param name="ToDeviceGigabytesPerSecond">Over the host link to the device.</param>
/// <param name="ToHostGigabytesPerSecond">Over the host link to the host.</param>
public readonly record struct ResourceUse(
    long StartPicoseconds, double HbmGigabytesPerSecond, double L2GigabytesPerSecond, double LinkGigabytesPerSecond,
    double ToDeviceGigabytesPerSecond, double ToHostGigabytesPerSecond);

/// <summary>The run of one instruction.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Label">Its name.</param>
/// <param name="Layer">Layer i of the repeat around; 0 outside.</param>
/// <param name="StartPicoseconds">Its start, counted from the step's.</param>
/// <param name="EndPicoseconds">Its end, counted from the step's start.</param>
/// <param name="HotBytes">Bytes that it found in the L2.</param>
/// <param name="ColdBytes">Bytes that it read from memory.</param>
public readonly record struct InstructionRun(
    StreamKind Stream, string Label, int Layer, long StartPicoseconds, long EndPicoseconds, long HotBytes, long ColdBytes)
{
    /// <summary>The time that it took.</summary>
    public long Picoseconds => EndPicoseconds - StartPicoseconds;

    /// <summary>Bytes that it wrote to memory, a copy from the host among them. 0 where a backend does not count them.</summary>
    public long WrittenBytes { get; init; }

    /// <summary>Of a prefetch, the tensors that it reads, by name; null for all else.</summary>
    public string? Prefetched { get; init; }
}
