namespace Preserve.Calibration.Tests;

public class DeviceFileTextTests
{
    [Theory]
    [InlineData("a100-80-sxm")]
    [InlineData("b200-sxm")]
    [InlineData("h100-sxm")]
    [InlineData("h200-sxm")]
    public void What_is_written_is_read_again(string id)
    {
        var text = DeviceCatalogue.TextOf(id)!;
        var device = DeviceFile.Parse(text).Device!;
        DeviceFileText.Put(text, device.Calibration!).ShouldBe(text.ReplaceLineEndings("\n"));
        var other = DeviceFileText.Put(text, device.Calibration! with { Command = "say \"twice\"\n\\", Multiprocessors = 7 });
        DeviceFile.Parse(other).Device!.Calibration.ShouldBe(device.Calibration with { Command = "say \"twice\"\n\\", Multiprocessors = 7 });
        (DeviceFile.Parse(other).Device! with { Calibration = null }).ShouldBe(device with { Calibration = null });
    }

    [Fact]
    public void A_calibration_is_put_into_a_file_without_one_and_replaced_where_it_stands()
    {
        var h100 = DeviceFile.Parse(DeviceCatalogue.TextOf("h100-sxm")!).Device!.Calibration!;
        var bare = DeviceCatalogue.TextOf("mi300x")!.Replace("\"gigabytes_per_second_per_direction\": 448", "\"gigabytes_per_second_per_direction\": 450", StringComparison.Ordinal);
        var put = DeviceFileText.Put(bare, h100);
        DeviceFile.Parse(put).Device!.Calibration.ShouldBe(h100);
        put.ShouldStartWith(bare.ReplaceLineEndings("\n").TrimEnd().TrimEnd('}').TrimEnd());

        var first = put.Replace("  \"preserve_device\": 1,", "  \"calibration\": { \"command\": \"x\", \"multiprocessors\": 1 },\n  \"preserve_device\": 1,", StringComparison.Ordinal);
        first = first[..first.LastIndexOf(",\n  \"calibration\"", StringComparison.Ordinal)] + "\n}\n";
        DeviceFile.Parse(DeviceFileText.Put(first, h100)).Device!.Calibration.ShouldBe(h100);
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("mi300x")]
    public void Id_and_source_take_the_place_of_those_of_the_base(string of)
    {
        var text = DeviceCatalogue.TextOf(of)!;
        var device = DeviceFile.Parse(text).Device!;
        var calibration = new DeviceCalibration("c", 1, default, default, null, null, default, default, null);
        var named = DeviceFile.Parse(DeviceFileText.Put(DeviceFileText.Named(text, "mine"), calibration, "my own")).Device!;
        named.Id.ShouldBe("mine");
        named.Sources.ShouldBe(device.Sources.Where(s => s.Field != "calibration").Append(new FieldNote("calibration", "my own")));
        (named with { Id = of, Sources = device.Sources, Calibration = device.Calibration }).ShouldBe(device);
        Should.Throw<ArgumentException>(() => DeviceFileText.Named(text, "A b")).Message.ShouldContain("must be of the letters");
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("tpu-v4")]
    public void A_measured_memory_is_no_longer_assumed_and_says_where_its_rate_comes_from(string id)
    {
        var text = DeviceCatalogue.TextOf(id)!;
        var device = DeviceFile.Parse(text).Device!;
        var memory = device.Hbm with { SustainedGigabytesPerSecond = device.Hbm.NominalGigabytesPerSecond - 1 };
        var source = new FieldNote("hbm.sustained_gigabytes_per_second", "my own");
        var put = DeviceFile.Parse(DeviceFileText.Put(text, memory, source)).Device!;
        put.Hbm.ShouldBe(memory);
        put.Sources.ShouldBe(device.Sources.Where(s => s.Field != source.Field).Append(source));
        put.AssumedFields.ShouldNotContain(n => n.Field == source.Field);
        Should.Throw<ArgumentException>(() => DeviceFileText.Put(text, memory with { SustainedGigabytesPerSecond = 40_000 }, source)).Message.ShouldContain("the nominal rate is");
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("ascend-910b2")]
    public void A_measured_link_takes_the_place_of_four_constants_and_what_was_assumed_beside_them_stays_so(string id)
    {
        var text = DeviceCatalogue.TextOf(id)!;
        var device = DeviceFile.Parse(text).Device!;
        var link = device.HostLink with { SustainedGigabytesPerSecond = 20, LatencyMicroseconds = 7.5, PageableGigabytesPerSecond = 9, DuplexShare = 0.9 };
        var put = DeviceFile.Parse(DeviceFileText.Put(text, link, "my own")).Device!;
        put.HostLink.ShouldBe(link);
        put.Sources.ShouldBe(device.Sources.Append(new FieldNote("host_link", "my own")));
        var measured = (string[])["sustained_gigabytes_per_second", "latency_microseconds", "pageable_gigabytes_per_second", "duplex_share"];
        put.AssumedFields.ShouldBe(device.AssumedFields.Where(n => !measured.Any(m => n.Field == "host_link." + m)));
        (put with { HostLink = device.HostLink, Sources = device.Sources, AssumedFields = device.AssumedFields }).ShouldBe(device);
        Should.Throw<ArgumentException>(() => DeviceFileText.Put(text, link with { SustainedGigabytesPerSecond = 2000 }, "my own")).Message.ShouldContain("the nominal rate is");
    }

    [Theory]
    [InlineData("a100-40-sxm")]
    [InlineData("l40s")]
    public void A_measured_rate_of_matmuls_takes_the_place_of_one_constant_and_what_was_assumed_beside_it_stays_so(string id)
    {
        var text = DeviceCatalogue.TextOf(id)!;
        var device = DeviceFile.Parse(text).Device!;
        var rate = device.Kernels.MatMulBf16Teraflops * 0.9;
        var put = DeviceFile.Parse(DeviceFileText.PutMatMulRate(text, rate, "my own")).Device!;
        // What is assumed of other kernels where the file is silent may follow the rate.
        put.Kernels.ShouldBe(device.Kernels with { MatMulBf16Teraflops = rate, MatMul8BitShareOfPeak = put.Kernels.MatMul8BitShareOfPeak, AttentionBf16Teraflops = put.Kernels.AttentionBf16Teraflops });
        put.Sources.ShouldBe(device.Sources.Append(new FieldNote("kernels.matmul_bf16_teraflops", "my own")));
        put.AssumedFields.Select(n => n.Field).ShouldBe(device.AssumedFields.Select(n => n.Field).Where(f => f != "kernels.matmul_bf16_teraflops"));
        (put with { Kernels = device.Kernels, Sources = device.Sources, AssumedFields = device.AssumedFields }).ShouldBe(device);
        Should.Throw<ArgumentException>(() => DeviceFileText.PutMatMulRate(text, 5000, "my own")).Message.ShouldContain("the peak is");
    }

    [Fact]
    public void Constants_that_a_device_cannot_have_are_refused()
    {
        var b200 = DeviceFile.Parse(DeviceCatalogue.TextOf("b200-sxm")!).Device!.Calibration!;
        Should.Throw<ArgumentException>(() => DeviceFileText.Put(DeviceCatalogue.TextOf("l40s")!, b200)).Message.ShouldContain("but memory gives 0.864 on paper");
        Should.Throw<ArgumentException>(() => DeviceFileText.Put("{}", b200)).Message.ShouldContain("is missing");
    }
}
