namespace Preserve.Exploration;

/// <summary>A constant that cost laws read, where a device file assumes it or doubts it.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Fields">Where it stands in a device file.</param>
/// <param name="Value">Its value on a device, with its unit.</param>
/// <param name="Times">The device with the constant so many times as large; the same device where the constant is at its bound.</param>
public sealed record AssumedConstant(string Name, IReadOnlyList<string> Fields, Func<Device, string> Value, Func<Device, double, Device> Times)
{
    /// <summary>All that the time of a step can depend on, whether a device assumes them or not.</summary>
    public static IReadOnlyList<AssumedConstant> All { get; } =
    [
        new("small all-reduce", ["collectives.latency_microseconds", "collectives.one_shot", "collectives.two_shot"],
            d => Text($"{SmallAllReduce(d.Collectives)} us"), (d, f) => WithLatency(d, SmallAllReduce(d.Collectives) * f)),
        // A matmul is assumed to draw what memory sustains: its rate follows.
        new("sustained HBM rate", ["hbm.sustained_gigabytes_per_second"], d => Text($"{d.Hbm.SustainedGigabytesPerSecond} GB/s"), (d, f) => d with
        {
            Hbm = d.Hbm with { SustainedGigabytesPerSecond = d.Hbm.SustainedGigabytesPerSecond * f },
            Kernels = d.Kernels with { MatMulHbmTerabytesPerSecond = d.Kernels.MatMulHbmTerabytesPerSecond * f },
        }),
        // What memory sustains bounds both of these.
        new("HBM rate of a matmul", ["kernels.matmul_hbm_terabytes_per_second"], d => Text($"{d.Kernels.MatMulHbmTerabytesPerSecond} TB/s"), (d, f) => d with
        {
            Kernels = d.Kernels with { MatMulHbmTerabytesPerSecond = Math.Min(d.Kernels.MatMulHbmTerabytesPerSecond * f, Sustained(d)) },
        }),
        new("HBM rate of a prefetch", ["kernels.prefetch_hbm_terabytes_per_second"], d => Text($"{d.Kernels.PrefetchHbmTerabytesPerSecond ?? Sustained(d)} TB/s"), (d, f) => d with
        {
            Kernels = d.Kernels with
            {
                PrefetchHbmTerabytesPerSecond = (d.Kernels.PrefetchHbmTerabytesPerSecond ?? Sustained(d)) * f is var rate && rate < Sustained(d) ? rate : null,
            },
        }),
        new("L2 read rate", ["l2.read_terabytes_per_second"], d => Text($"{d.L2.ReadTerabytesPerSecond} TB/s"), (d, f) => d with { L2 = d.L2 with { ReadTerabytesPerSecond = d.L2.ReadTerabytesPerSecond * f } }),
        // What is found beyond the usable part is assumed in proportion to it, and the capacity must hold both.
        new("usable L2", ["l2.usable_mebibytes"], d => Text($"{d.L2.UsableMebibytes:0.#} MiB"), (d, f) => d with
        {
            L2 = d.L2 with { UsableMebibytes = d.L2.UsableMebibytes * f, CapacityMebibytes = d.L2.CapacityMebibytes * f, LimitMebibytes = d.L2.LimitMebibytes * f },
        }),
        new("L2 beyond the usable", ["l2.limit_mebibytes"], d => Text($"{Mebibytes(d.L2LimitBytes - d.PrefetchRoomBytes):0.#} MiB"), (d, f) => WithLimit(d, Mebibytes(d.PrefetchRoomBytes + ((d.L2LimitBytes - d.PrefetchRoomBytes) * f)))),
        new("link rate", ["scale_up.gigabytes_per_second_per_direction"], d => Text($"{d.ScaleUp.GigabytesPerSecondPerDirection} GB/s"), (d, f) => d with
        {
            ScaleUp = d.ScaleUp with { GigabytesPerSecondPerDirection = d.ScaleUp.GigabytesPerSecondPerDirection * f },
        }),
        new("fixed cost of a matmul", ["kernels.matmul_fixed_microseconds"], d => Text($"{d.Kernels.MatMulFixedMicroseconds} us"), (d, f) => d with { Kernels = d.Kernels with { MatMulFixedMicroseconds = d.Kernels.MatMulFixedMicroseconds * f } }),
        new("fixed cost of quantizing", ["kernels.quantize_fixed_microseconds"], d => Text($"{d.Kernels.QuantizeFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { QuantizeFixedMicroseconds = d.Kernels.QuantizeFixedMicroseconds * f },
        }),
        new("fixed cost of attention", ["kernels.attention_fixed_microseconds"], d => Text($"{d.Kernels.AttentionFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { AttentionFixedMicroseconds = d.Kernels.AttentionFixedMicroseconds * f },
        }),
        new("fixed cost of a small operator", ["kernels.small_operator_fixed_microseconds"], d => Text($"{d.Kernels.SmallOperatorFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { SmallOperatorFixedMicroseconds = d.Kernels.SmallOperatorFixedMicroseconds * f },
        }),
        new("fixed cost of a prefetch", ["kernels.prefetch_fixed_microseconds"], d => Text($"{d.Kernels.PrefetchFixedMicroseconds} us"), (d, f) => d with
        {
            Kernels = d.Kernels with { PrefetchFixedMicroseconds = d.Kernels.PrefetchFixedMicroseconds * f },
        }),
        new("cost of an event", ["kernels.event_microseconds"], d => Text($"{d.Kernels.EventMicroseconds} us"), (d, f) => d with { Kernels = d.Kernels with { EventMicroseconds = d.Kernels.EventMicroseconds * f } }),
        new("rate of bf16 matmuls", ["kernels.matmul_bf16_teraflops"], d => Text($"{d.Kernels.MatMulBf16Teraflops:0.#} TFLOP/s"), (d, f) => d with { Kernels = d.Kernels with { MatMulBf16Teraflops = d.Kernels.MatMulBf16Teraflops * f } }),
        new("rate of 8-bit matmuls", ["kernels.matmul_8bit_share_of_peak"], d => Text($"{d.Kernels.MatMul8BitShareOfPeak} of the peak"), (d, f) => d with { Kernels = d.Kernels with { MatMul8BitShareOfPeak = d.Kernels.MatMul8BitShareOfPeak * f } }),
        new("rate of attention", ["kernels.attention_bf16_teraflops"], d => Text($"{d.Kernels.AttentionBf16Teraflops:0.#} TFLOP/s"), (d, f) => d with { Kernels = d.Kernels with { AttentionBf16Teraflops = d.Kernels.AttentionBf16Teraflops * f } }),
        new("int8 peak", ["compute.int8_teraops"], d => Text($"{d.Compute.Int8Teraops} TOP/s"), (d, f) => d with { Compute = d.Compute with { Int8Teraops = d.Compute.Int8Teraops * f } }),
    ];

    /// <summary>Those that a device assumes or doubts.</summary>
    /// <param name="device">The device, with those marks alone that the times depend on.</param>
    public static IReadOnlyList<AssumedConstant> Of(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return [.. All.Where(c => device.AssumedFields.Concat(device.DoubtfulFields).Any(n => c.Covers(n.Field)))];
    }

    /// <summary>Whether a mark is on it: on a field of it, or on a section that it stands in.</summary>
    /// <param name="field">The field or section that is marked.</param>
    public bool Covers(string field) => Fields.Any(f => FieldNote.IsWithin(f, field) || FieldNote.IsWithin(field, f));

    /// <summary>The device with another time of a small all-reduce; algorithms that it names keep their ratio.</summary>
    /// <param name="device">The device.</param>
    /// <param name="microseconds">The time, above 0.</param>
    public static Device WithLatency(Device device, double microseconds)
    {
        ArgumentNullException.ThrowIfNull(device);
        var (c, factor) = (device.Collectives, microseconds / SmallAllReduce(device.Collectives));
        return device with
        {
            Collectives = c with { LatencyMicroseconds = c.LatencyMicroseconds * factor, OneShot = Slower(c.OneShot), TwoShot = Slower(c.TwoShot) },
        };

        CollectiveAlgorithm? Slower(CollectiveAlgorithm? algorithm) =>
            algorithm is null ? null : algorithm with { LatencyMicroseconds = algorithm.LatencyMicroseconds * factor };
    }

    private static double SmallAllReduce(CollectiveConstants c) => (c.OneShot, c.TwoShot) switch
    {
        ({ } one, { } two) => Math.Min(one.LatencyMicroseconds, two.LatencyMicroseconds),
        _ => (c.OneShot ?? c.TwoShot)?.LatencyMicroseconds ?? c.LatencyMicroseconds,
    };

    private static Device WithLimit(Device device, double mebibytes) => device with
    {
        L2 = device.L2 with { LimitMebibytes = mebibytes, CapacityMebibytes = Math.Max(device.L2.CapacityMebibytes.GetValueOrDefault(), mebibytes) },
    };

    /// <summary>What memory sustains, in TB/s.</summary>
    private static double Sustained(Device device) => device.Hbm.SustainedGigabytesPerSecond / 1000;

    private static double Mebibytes(double bytes) => bytes / (1 << 20);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
