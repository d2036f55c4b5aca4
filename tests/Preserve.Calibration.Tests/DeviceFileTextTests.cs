namespace Preserve.Calibration.Tests;

public class DeviceFileTextTests
{
    private static readonly string[] s_measuredOfHostLink =
        ["host_link.sustained_gigabytes_per_second", "host_link.latency_microseconds", "host_link.pageable_gigabytes_per_second", "host_link.duplex_share"];

    [Theory]
    [InlineData("a100-80-sxm")]
    [InlineData("b200-sxm")]
    [InlineData("h100-sxm")]
    [InlineData("h200-sxm")]
    public void What_is_written_is_read_again(string id)
    {
        var (text, device) = BuiltIn(id);
        DeviceFileText.Put(text, device.Calibration!).ShouldBe(text.ReplaceLineEndings("\n"));
        var calibration = device.Calibration! with { Command = "say \"twice\"\n\\", Multiprocessors = 7 };
        Read(DeviceFileText.Put(text, calibration)).ShouldBe(device with { Calibration = calibration });
    }

    [Fact]
    public void A_calibration_is_put_into_a_file_without_one_and_replaced_where_it_stands()
    {
        var h100 = BuiltIn("h100-sxm").Device.Calibration!;
        var bare = BuiltIn("mi300x").Text.Replace("\"gigabytes_per_second_per_direction\": 448", "\"gigabytes_per_second_per_direction\": 450", StringComparison.Ordinal);
        var put = DeviceFileText.Put(bare, h100);
        Read(put).Calibration.ShouldBe(h100);
        put.ShouldStartWith(bare.ReplaceLineEndings("\n").TrimEnd().TrimEnd('}').TrimEnd());

        var first = put.Replace("  \"preserve_device\": 1,", "  \"calibration\": { \"command\": \"x\", \"multiprocessors\": 1 },\n  \"preserve_device\": 1,", StringComparison.Ordinal);
        first = first[..first.LastIndexOf(",\n  \"calibration\"", StringComparison.Ordinal)] + "\n}\n";
        Read(DeviceFileText.Put(first, h100)).Calibration.ShouldBe(h100);
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("mi300x")]
    public void Id_and_source_take_the_place_of_those_of_the_base(string of)
    {
        var (text, device) = BuiltIn(of);
        var calibration = new DeviceCalibration("c", 1, default, default, null, null, default, default, null);
        var put = Measured(DeviceFileText.Named(text, "mine"), (file, source) => DeviceFileText.Put(file, calibration, source), "calibration");
        put.ShouldBe(device with { Id = "mine", Sources = put.Sources, Calibration = calibration });
        Refused(() => DeviceFileText.Named(text, "A b"), "must be of the letters");
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("tpu-v4")]
    public void A_measured_memory_is_no_longer_assumed_and_says_where_its_rate_comes_from(string id)
    {
        const string rate = "hbm.sustained_gigabytes_per_second";
        var (text, device) = BuiltIn(id);
        var memory = device.Hbm with { SustainedGigabytesPerSecond = device.Hbm.NominalGigabytesPerSecond - 1 };
        var put = Measured(text, (file, source) => DeviceFileText.Put(file, memory, new FieldNote(rate, source)), rate);
        put.Hbm.ShouldBe(memory);
        Refused(() => DeviceFileText.Put(text, memory with { SustainedGigabytesPerSecond = 40_000 }, new FieldNote(rate, "")), "the nominal rate is");
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("ascend-910b2")]
    public void A_measured_link_takes_the_place_of_four_constants_and_what_was_assumed_beside_them_stays_so(string id)
    {
        var (text, device) = BuiltIn(id);
        var link = device.HostLink with { SustainedGigabytesPerSecond = 20, LatencyMicroseconds = 7.5, PageableGigabytesPerSecond = 9, DuplexShare = 0.9 };
        var put = Measured(text, (file, source) => DeviceFileText.Put(file, link, source), s_measuredOfHostLink);
        put.ShouldBe(device with { HostLink = link, Sources = put.Sources, AssumedFields = put.AssumedFields });
        Refused(() => DeviceFileText.Put(text, link with { SustainedGigabytesPerSecond = 2000 }, "my own"), "the nominal rate is");
    }

    [Theory]
    [InlineData("a100-40-sxm")]
    [InlineData("l40s")]
    public void A_measured_rate_of_matmuls_takes_the_place_of_one_constant_and_what_was_assumed_beside_it_stays_so(string id)
    {
        var (text, device) = BuiltIn(id);
        var rate = device.Kernels.MatMulBf16Teraflops * 0.9;
        var put = Measured(text, (file, source) => DeviceFileText.PutMatMulRate(file, rate, source), "kernels.matmul_bf16_teraflops");
        // What is assumed of other kernels where the file is silent may follow the rate.
        var kernels = device.Kernels with { MatMulBf16Teraflops = rate, MatMul8BitShareOfPeak = put.Kernels.MatMul8BitShareOfPeak, AttentionBf16Teraflops = put.Kernels.AttentionBf16Teraflops };
        put.ShouldBe(device with { Kernels = kernels, Sources = put.Sources, AssumedFields = put.AssumedFields });
        Refused(() => DeviceFileText.PutMatMulRate(text, 5000, "my own"), "the peak is");
    }

    [Fact]
    public void Constants_that_a_device_cannot_have_are_refused()
    {
        var b200 = BuiltIn("b200-sxm").Device.Calibration!;
        Refused(() => DeviceFileText.Put(BuiltIn("l40s").Text, b200), "but memory gives 0.864 on paper");
        Refused(() => DeviceFileText.Put("{}", b200), "is missing");
    }

    /// <summary>The device of a file into which what was measured is put, and put again, as by who measures twice: its fields have one source, the last, and are no longer
    /// assumed; all other sources and assumptions stay.</summary>
    private static Device Measured(string text, Func<string, string, string> put, params string[] fields)
    {
        var before = Read(text);
        var once = put(text, "my own");
        var after = Read(once);
        HasSource(after, "my own");
        after.AssumedFields.Select(n => n.Field).ShouldBe(before.AssumedFields.Select(n => n.Field).Except(fields));
        var again = Read(put(once, "my newer one"));
        HasSource(again, "my newer one");
        again.ShouldBe(after with { Sources = again.Sources });
        return after;

        void HasSource(Device device, string source) =>
            device.Sources.ShouldBe(before.Sources.Where(s => !fields.Contains(s.Field)).Concat(fields.Select(f => new FieldNote(f, source))));
    }

    private static void Refused(Func<string> put, string reason) => Should.Throw<ArgumentException>(put).Message.ShouldContain(reason);

    private static (string Text, Device Device) BuiltIn(string id)
    {
        var text = DeviceCatalogue.TextOf(id)!;
        return (text, Read(text));
    }

    private static Device Read(string text) => DeviceFile.Parse(text).Device!;
}
