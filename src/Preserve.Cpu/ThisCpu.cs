using System.Globalization;
using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>This machine as a device: its rates, measured with the backend's own kernels, in the format of any device file.</summary>
/// <remarks>The last cache that the cores share stands for the L2, memory for HBM and for the host's memory both.</remarks>
public static class ThisCpu
{
    /// <summary>The device's id.</summary>
    public const string Id = "this-cpu";

    /// <summary>Measures the machine, in some seconds. Nothing else should run meanwhile.</summary>
    /// <param name="ranks">Ranks that will share it, 1 or more: each is a device with its part of the rates and of the cache.</param>
    /// <returns>The text of a device file, which <see cref="DeviceFile.Parse"/> takes.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="ranks"/> is below 1.</exception>
    /// <exception cref="InvalidOperationException">A rank's part is less than a device file can have, because there are too many ranks or because
    /// the machine is busy; the message has the field and its value.</exception>
    public static string Measure(int ranks = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ranks, 1);
        return TextOf(ProcessorRates.Measure(), ranks);
    }

    /// <summary>The device file of a rank.</summary>
    /// <inheritdoc cref="Measure"/>
    internal static string TextOf(ProcessorRates rates, int ranks)
    {
        // What is read and what is copied passes through memory, however busy the machine was when the one was measured or the other.
        var (memory, cached, copy) = (rates.Memory / ranks, Math.Max(rates.Cached, rates.Memory) / ranks, Math.Min(rates.Copy, rates.Memory) / ranks);
        var (teraflops, launch, small, handOver) = (rates.Teraflops / ranks, rates.MatMulMicroseconds, rates.SmallMicroseconds, rates.HandOverMicroseconds);
        var text = string.Create(CultureInfo.InvariantCulture, $$"""
            {
              "preserve_device": 1,
              "id": "{{Id}}",
              "name": "This machine's processor",
              "vendor": "unknown",
              "architecture": "{{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}}",
              "compute": { "bf16_teraflops": {{Digits(teraflops)}} },
              "hbm": {
                "capacity_gigabytes": {{Digits(rates.CapacityGigabytes / ranks)}},
                "nominal_gigabytes_per_second": {{Digits(memory)}},
                "sustained_gigabytes_per_second": {{Digits(memory)}}
              },
              "l2": {
                "capacity_mebibytes": {{Digits(rates.CacheBytes / 1048576.0 / ranks)}},
                "usable_mebibytes": {{Digits(rates.CacheBytes / 2097152.0 / ranks)}},
                "read_terabytes_per_second": {{Digits(cached / 1000)}}
              },
              "scale_up": { "kind": "memory", "gigabytes_per_second_per_direction": {{Digits(copy)}} },
              "host_link": {
                "kind": "memory",
                "nominal_gigabytes_per_second": {{Digits(copy)}},
                "sustained_gigabytes_per_second": {{Digits(copy)}},
                "latency_microseconds": {{Digits(handOver)}}
              },
              "kernels": {
                "matmul_fixed_microseconds": {{Digits(launch)}},
                "matmul_hbm_terabytes_per_second": {{Digits(memory / 1000)}},
                "matmul_bf16_teraflops": {{Digits(teraflops)}},
                "attention_fixed_microseconds": {{Digits(launch)}},
                "attention_bf16_teraflops": {{Digits(teraflops)}},
                "small_operator_fixed_microseconds": {{Digits(small)}},
                "prefetch_fixed_microseconds": {{Digits(small)}},
                "event_microseconds": {{Digits(handOver)}}
              },
              "collectives": { "latency_microseconds": {{Digits(2 * handOver)}} },
              "sources": [
                { "field": "compute", "note": "measured: a matmul of 64 rows" },
                { "field": "hbm", "note": "measured: a decode matmul over a weight that no cache holds" },
                { "field": "l2", "note": "size as the system tells it, half of it usable; rate measured: a decode matmul over a weight of that half" },
                { "field": "scale_up", "note": "measured: a copy that no cache holds, as ranks read what the others gave" },
                { "field": "host_link", "note": "measured: the same copy; latency is that of a thread that hands over to another" },
                { "field": "kernels", "note": "measured: small matmuls and norms, and threads that hand over to each other; attention is taken to begin like a small matmul and to compute like a large one, a prefetch to begin like a norm" },
                { "field": "collectives", "note": "derived: ranks meet twice, each time for as long as a thread takes to hand over to another" }
              ]
            }
            """);
        return DeviceFile.Parse(text).Errors is [var error, ..]
            ? throw new InvalidOperationException($"one of {ranks} ranks on this machine, as it was measured, cannot be a device: {error.Message}")
            : text;
    }

    /// <summary>Four digits, as no measurement has more.</summary>
    private static string Digits(double value) =>
        ((double)decimal.Parse(value.ToString("G4", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture)).ToString("0.############", CultureInfo.InvariantCulture);
}
