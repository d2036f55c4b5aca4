using System.Reflection;

namespace Preserve.Hardware.Tests.Devices;

public class DeviceCatalogueTests
{
    /// <summary>Published figures by device, and how many of them are doubtful: TFLOP/s in bf16, fp8, int8, fp4; memory in GB, its
    /// nominal and sustained GB/s, which for H100, H200 and B200 is more than published, as measured rows show; L2 in MiB, usable MiB, read and write TB/s; scale-up link, host link nominal and sustained, GB/s;
    /// die in mm2, power in W, price in dollars. The MI300X has its Infinity Cache as L2.</summary>
    public static readonly TheoryData<string, double?[], int> Figures = new()
    {
        { "a100-40-sxm", new double?[] { 312, null, 624, null, 40, 1555, 1500, 40, 27, 5.35, null, 300, 32, 24.8, 826, 400, null }, 1 },
        { "a100-80-sxm", new double?[] { 312, null, 624, null, 80, 2039, 1840, 40, 27, 5.35, null, 300, 32, 24.8, 826, 400, 12500 }, 1 },
        { "h100-sxm", new double?[] { 989.4, 1978.9, 1978.9, null, 80, 3350, 3160, 50, 37, 6.95, null, 450, 64, 55.6, 814, 700, 27500 }, 2 },
        { "h200-sxm", new double?[] { 989.4, 1978.9, 1978.9, null, 141, 4800, 4479, 50, 42, 9.7, null, 450, 64, 55.6, 814, 700, null }, 1 },
        { "b200-sxm", new double?[] { 2250, 4500, 4500, 9000, 180, 7700, 7012, 126.5, 100, null, null, 900, 64, 55.6, 1600, 1000, 35000 }, 6 },
        { "mi300x", new double?[] { 1307.4, 2614.9, 2614.9, null, 192, 5300, 4200, 256, null, 11.6, null, 448, 64, null, 1725, 750, 15000 }, 3 },
        { "ascend-910b2", new double?[] { 353.9, null, 707.8, null, 64, 1600, 1380, 192, null, 4.75, 3.7, 196, 64, null, null, 400, null }, 7 },
        { "tpu-v4", new double?[] { 275, null, 275, null, 32, 1228, null, 128, null, null, null, 270, 16, null, null, 192, null }, 4 },
        { "tpu-v5e", new double?[] { 197, null, 394, null, 16, 819, null, 128, null, 18.0, null, 180, 16, 15, null, null, null }, 3 },
        { "tpu-v5p", new double?[] { 459, null, 918, null, 95, 2765, null, null, null, null, null, 540, 16, null, null, null, null }, 3 },
        { "l40s", new double?[] { 362.05, 733, 733, null, 48, 864, 700, 96, 92, 5.2, null, 32, 32, 25, 609, 350, 8500 }, 2 },
        { "rtx4090", new double?[] { 165.2, 330.3, 660.6, null, 24, 1008, null, 72, 68, null, null, 32, 32, 25, 609, 450, 1599 }, 2 },
        { "rtx5090", new double?[] { 209.5, 419, 838, 1676, 32, 1792, 1640, 96, null, null, null, 64, 64, 57, 750, 575, 1999 }, 2 },
    };

    [Theory]
    [MemberData(nameof(Figures))]
    public void A_built_in_device_has_its_published_figures(string id, double?[] figures, int doubts)
    {
        DeviceCatalogue.TryGet(id, out var device).ShouldBeTrue(string.Join("; ", DeviceFile.Parse(DeviceCatalogue.TextOf(id) ?? "").Errors));
        device!.Id.ShouldBe(id);
        double? Given(string field, double? value) => device.AssumedFields.Any(a => a.Field == field) ? null : value;
        new[]
        {
            device.Compute.Bf16Teraflops, device.Compute.Fp8Teraflops, device.Compute.Int8Teraops, device.Compute.Fp4Teraflops,
            device.Hbm.CapacityGigabytes, device.Hbm.NominalGigabytesPerSecond,
            Given("hbm.sustained_gigabytes_per_second", device.Hbm.SustainedGigabytesPerSecond),
            device.L2.CapacityMebibytes, Given("l2.usable_mebibytes", device.L2.UsableMebibytes),
            device.L2.ReadTerabytesPerSecond, device.L2.WriteTerabytesPerSecond,
            device.ScaleUp.GigabytesPerSecondPerDirection, device.HostLink.NominalGigabytesPerSecond,
            Given("host_link.sustained_gigabytes_per_second", device.HostLink.SustainedGigabytesPerSecond),
            device.Chip.DieSquareMillimetres, device.Chip.PowerWatts, device.Chip.PriceDollars,
        }.ShouldBe(figures);
        device.DoubtfulFields.Count.ShouldBeGreaterThanOrEqualTo(doubts);
    }

    [Fact]
    public void Every_id_that_can_be_declared_is_built_in()
    {
        var declared = typeof(Preserve.Devices).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!);
        DeviceCatalogue.Ids.ShouldBe(declared.OrderBy(id => id, StringComparer.Ordinal));
    }

    [Fact]
    public void Every_constant_has_a_source_or_is_marked_assumed()
    {
        foreach (var id in DeviceCatalogue.Ids)
        {
            DeviceCatalogue.TryGet(id, out var device).ShouldBeTrue();
            var noted = device!.Sources.Concat(device.AssumedFields).Select(n => n.Field).ToArray();
            foreach (var section in JsonReader.Parse(DeviceCatalogue.TextOf(id)!).Members.Where(m => m.Value.Kind == JsonKind.Object))
            {
                foreach (var field in section.Value.Members)
                {
                    var path = section.Name + "." + field.Name;
                    noted.ShouldContain(n => n == section.Name || n == path, $"{id}: {path}");
                }
            }
        }
    }

    [Fact]
    public void A_device_equals_itself_read_again()
    {
        DeviceCatalogue.TryGet("h100-sxm", out var once).ShouldBeTrue();
        DeviceCatalogue.TryGet("h100-sxm", out var again).ShouldBeTrue();
        once.ShouldBe(again);
        once!.GetHashCode().ShouldBe(again!.GetHashCode());
    }

    [Fact]
    public void Effective_values_stand_for_unknown_ones()
    {
        DeviceCatalogue.TryGet("ascend-910b2", out var ascend).ShouldBeTrue();
        ascend!.PrefetchRoomBytes.ShouldBe((long)(0.7 * 192 * 1048576));
        ascend.Collectives.LatencyMicroseconds.ShouldBe(25);
        ascend.AssumedFields.Select(a => a.Field).ShouldContain("l2.usable_mebibytes");
        ascend.AssumedFields.Select(a => a.Field).ShouldContain("collectives.latency_microseconds");

        DeviceCatalogue.TryGet("tpu-v4", out var tpu).ShouldBeTrue();
        tpu!.Hbm.SustainedGigabytesPerSecond.ShouldBe(0.8 * 1228, tolerance: 1e-9);
        tpu.L2Known.ShouldBeFalse();
        tpu.UnknownL2.ShouldBe($"l2.read_terabytes_per_second of {tpu.Id} is not known");
        (tpu with { L2 = tpu.L2 with { CapacityMebibytes = null, UsableMebibytes = null } }).UnknownL2.ShouldBe($"l2.capacity_mebibytes and l2.read_terabytes_per_second of {tpu.Id} are not known");
        (tpu with { L2 = tpu.L2 with { UsableMebibytes = null, ReadTerabytesPerSecond = 9 } }).UnknownL2.ShouldBe($"l2.capacity_mebibytes of {tpu.Id} is not known");
        (tpu with { L2 = tpu.L2 with { ReadTerabytesPerSecond = 9 } }).UnknownL2.ShouldBeNull();
        tpu.PrefetchRoomBytes.ShouldBe(0);
        tpu.MemoryBytes.ShouldBe(32_000_000_000);
    }

    /// <summary>The same device: another case, other separators, a slip in a word without digits, such a word left out.</summary>
    [Theory]
    [InlineData("h100", "h100-sxm")]
    [InlineData("H100_SXM", "h100-sxm")]
    [InlineData("h100sxm", "h100-sxm")]
    [InlineData("h100-smx", "h100-sxm")]
    [InlineData("h100-sxn", "h100-sxm")]
    [InlineData("H200 SXMM", "h200-sxm")]
    [InlineData("a100-80", "a100-80-sxm")]
    [InlineData("rtx-4090", "rtx4090")]
    [InlineData("RTX 4090", "rtx4090")]
    [InlineData("TPU_v5e", "tpu-v5e")]
    [InlineData("ascned-910b2", "ascend-910b2")]
    [InlineData("my_chip", "my-chip")]
    [InlineData("my-chop", "my-chip")]
    [InlineData("Own.1", "own-1")]
    public void The_same_device_in_other_letters_is_meant(string id, string meant) =>
        DeviceCatalogue.Suggest(id, ["my-chip", "own-1", "rig-a"]).ShouldSatisfyAllConditions(s => s.Meant.ShouldBe(meant), s => s.Near.ShouldBeEmpty(), s => s.Hint.ShouldBe($"; did you mean '{meant}'?"));

    /// <summary>Other devices, or not known which: some are named, and none is meant.</summary>
    [Theory]
    [InlineData("A100", "a100-40-sxm", "a100-80-sxm")]
    [InlineData("a100-sxm", "a100-40-sxm", "a100-80-sxm")]
    [InlineData("a100sxm", "a100-40-sxm", "a100-80-sxm")]
    [InlineData("rtx4090ti", "rtx4090")]
    [InlineData("h1000", "h100-sxm")]
    [InlineData("a100-sxm4-40gb", "a100-40-sxm", "a100-80-sxm")]
    [InlineData("h100-pcie", "h100-sxm")]
    [InlineData("h100-sxm5", "h100-sxm")]
    [InlineData("v100")]
    [InlineData("v100-sxm", "h100-sxm")]
    [InlineData("h800")]
    [InlineData("h800-sxm", "h100-sxm")]
    [InlineData("h20", "h200-sxm")]
    [InlineData("h20-sxm", "h200-sxm")]
    [InlineData("l4", "l40s")]
    [InlineData("l40", "l40s")]
    [InlineData("rtx3090", "rtx4090")]
    [InlineData("rtx4080", "rtx4090")]
    [InlineData("rxt4090", "rtx4090")]
    [InlineData("rtx", "rtx4090", "rtx5090")]
    [InlineData("mi325x", "mi300x")]
    [InlineData("mi300a", "mi300x")]
    [InlineData("mi300", "mi300x")]
    [InlineData("tpu-v6e", "tpu-v5e")]
    [InlineData("tpu", "tpu-v4", "tpu-v5e", "tpu-v5p")]
    [InlineData("910b", "ascend-910b2")]
    [InlineData("ascend-910b", "ascend-910b2")]
    [InlineData("ascend", "ascend-910b2")]
    [InlineData("5090", "rtx5090")]
    [InlineData("own-2", "own-1")]
    [InlineData("own", "own-1")]
    [InlineData("my-chip2", "my-chip")]
    [InlineData("rig-b", "rig-a")]
    [InlineData("chip", "my-chip")]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("something-else-entirely")]
    public void Another_device_is_named_and_not_meant(string id, params string[] near)
    {
        var suggestion = DeviceCatalogue.Suggest(id, ["my-chip", "own-1", "rig-a"]);
        suggestion.Meant.ShouldBeNull();
        suggestion.Near.ShouldBe(near);
        suggestion.Hint.ShouldBe(near.Length switch
        {
            0 => "",
            1 => $"; the nearest id is '{near[0]}'",
            _ => $"; the nearest ids are {string.Join(" and ", near.Select(n => $"'{n}'"))}",
        });
    }

    [Fact]
    public void Of_two_devices_that_could_be_meant_none_is() =>
        DeviceCatalogue.Suggest("lab-chap", ["lab-chip", "lab-chop"]).Meant.ShouldBeNull();

    [Fact]
    public void Every_built_in_device_is_meant_by_its_own_id_in_capitals_and_without_separators()
    {
        foreach (var id in DeviceCatalogue.Ids)
            DeviceCatalogue.Suggest(id.ToUpperInvariant().Replace("-", "", StringComparison.Ordinal), []).Meant.ShouldBe(id);
    }

    [Fact]
    public void An_unknown_id_has_no_device()
    {
        DeviceCatalogue.TryGet("h100", out var device).ShouldBeFalse();
        device.ShouldBeNull();
    }
}
