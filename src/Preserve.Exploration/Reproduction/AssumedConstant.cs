namespace Preserve.Exploration;

/// <summary>A constant of a device that was not published for it.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Its value on a device, with its unit.</param>
/// <param name="Times">The device with the constant so many times as large.</param>
public sealed record AssumedConstant(string Name, Func<Device, string> Value, Func<Device, double, Device> Times)
{
    /// <summary>Those that the speed-up can depend on.</summary>
    public static IReadOnlyList<AssumedConstant> All { get; } =
    [
        new("small all-reduce", d => Text($"{d.Collectives.LatencyMicroseconds} us"), (d, f) => WithLatency(d, d.Collectives.LatencyMicroseconds * f)),
        // A matmul is assumed to draw what memory sustains: its rate follows.
        new("sustained HBM rate", d => Text($"{d.Hbm.SustainedGigabytesPerSecond} GB/s"), (d, f) => d with
        {
            Hbm = d.Hbm with { SustainedGigabytesPerSecond = d.Hbm.SustainedGigabytesPerSecond * f },
            Kernels = d.Kernels with { MatMulHbmTerabytesPerSecond = d.Kernels.MatMulHbmTerabytesPerSecond * f },
        }),
        new("L2 read rate", d => Text($"{d.L2.ReadTerabytesPerSecond} TB/s"), (d, f) => d with { L2 = d.L2 with { ReadTerabytesPerSecond = d.L2.ReadTerabytesPerSecond * f } }),
        // What is found beyond the usable part is assumed in proportion to it, and the capacity must hold both.
        new("usable L2", d => Text($"{d.L2.UsableMebibytes:0.#} MiB"), (d, f) => d with
        {
            L2 = d.L2 with { UsableMebibytes = d.L2.UsableMebibytes * f, CapacityMebibytes = d.L2.CapacityMebibytes * f, LimitMebibytes = d.L2.LimitMebibytes * f },
        }),
        new("link rate", d => Text($"{d.ScaleUp.GigabytesPerSecondPerDirection} GB/s"), (d, f) => d with
        {
            ScaleUp = d.ScaleUp with { GigabytesPerSecondPerDirection = d.ScaleUp.GigabytesPerSecondPerDirection * f },
        }),
        new("fixed cost of a matmul", d => Text($"{d.Kernels.MatMulFixedMicroseconds} us"), (d, f) => d with { Kernels = d.Kernels with { MatMulFixedMicroseconds = d.Kernels.MatMulFixedMicroseconds * f } }),
        new("fixed cost of quantizing", d => Text($"{d.Kernels.QuantizeFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { QuantizeFixedMicroseconds = d.Kernels.QuantizeFixedMicroseconds * f },
        }),
        new("fixed cost of attention", d => Text($"{d.Kernels.AttentionFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { AttentionFixedMicroseconds = d.Kernels.AttentionFixedMicroseconds * f },
        }),
        new("fixed cost of a small operator", d => Text($"{d.Kernels.SmallOperatorFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { SmallOperatorFixedMicroseconds = d.Kernels.SmallOperatorFixedMicroseconds * f },
        }),
        new("fixed cost of a prefetch", d => Text($"{d.Kernels.PrefetchFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { PrefetchFixedMicroseconds = d.Kernels.PrefetchFixedMicroseconds * f },
        }),
        new("cost of an event", d => Text($"{d.Kernels.EventMicroseconds} us"), (d, f) => d with { Kernels = d.Kernels with { EventMicroseconds = d.Kernels.EventMicroseconds * f } }),
        new("rate of 8-bit matmuls", d => Text($"{d.Kernels.MatMul8BitShareOfPeak} of the peak"), (d, f) => d with { Kernels = d.Kernels with { MatMul8BitShareOfPeak = d.Kernels.MatMul8BitShareOfPeak * f } }),
        new("rate of attention", d => Text($"{d.Kernels.AttentionBf16Teraflops:0.#} TFLOP/s"), (d, f) => d with { Kernels = d.Kernels with { AttentionBf16Teraflops = d.Kernels.AttentionBf16Teraflops * f } }),
    ];

    /// <summary>The device with another time of a small all-reduce.</summary>
    /// <param name="device">The device.</param>
    /// <param name="microseconds">The time, 0 or more.</param>
    public static Device WithLatency(Device device, double microseconds)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device with { Collectives = device.Collectives with { LatencyMicroseconds = microseconds } };
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
