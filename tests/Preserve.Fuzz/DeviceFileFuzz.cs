using System.Text;

namespace Preserve.Fuzz;

/// <summary>Device files, damaged: each gives a device whose rates can be divided by, or errors.</summary>
internal sealed class DeviceFileFuzz() : FuzzTarget("device file")
{
    private static readonly string[] s_files = [.. DeviceCatalogue.Ids.Select(id => DeviceCatalogue.TextOf(id)!)];

    private static readonly string[] s_keys =
    [
        "preserve_device", "id", "name", "compute", "bf16_teraflops", "hbm", "capacity_gigabytes", "nominal_gigabytes_per_second", "sustained_gigabytes_per_second", "l2",
        "capacity_mebibytes", "usable_mebibytes", "limit_mebibytes", "persisting_share", "set_aside_mebibytes", "read_terabytes_per_second", "scale_up", "kind", "gigabytes_per_second_per_direction", "skew_microseconds", "host_link",
        "copy_engines", "duplex_share", "kernels", "matmul_fixed_microseconds", "collectives", "launch", "one_shot", "latency_microseconds", "assumed", "field", "note", "calibration",
    ];

    public override byte[] Next(Random random) => Damage.Encode(Damage.Members(s_files[random.Next(s_files.Length)], s_keys, random), random);

    public override IReadOnlyList<string> Read(byte[] file)
    {
        var text = Encoding.UTF8.GetString(file);
        var result = DeviceFile.Parse(text);
        if (result.Device is null == (result.Errors.Count == 0))
            throw new InvalidOperationException("neither a device nor errors, or both");
        if (result.Device is { } device)
        {
            var laws = CostLaws.For(device);
            foreach (var rate in new[] { laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond, device.HostTransfer.PinnedGigabytesPerSecond, device.ScaleUp.GigabytesPerSecondPerDirection })
            {
                if (!(rate > 0) || double.IsInfinity(rate))
                    throw new InvalidOperationException($"the device has a rate of {rate}");
            }
            if (device.L2LimitBytes < device.PrefetchRoomBytes || device.MemoryBytes <= 0 || laws.EventPicoseconds < 0)
                throw new InvalidOperationException("the device is not sound");
        }
        var lines = text.Split('\n').Length;
        foreach (var error in result.Errors)
        {
            if (error.Line < 1 || error.Line > lines || error.Column < 1)
                throw new InvalidOperationException($"an error at line {error.Line}, column {error.Column} of {lines} lines");
        }
        return [.. result.Errors.Select(e => e.Message)];
    }
}
