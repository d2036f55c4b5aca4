using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Hardware.Tests.Devices;

public class DeviceFileTests
{
    /// <summary>A file with what one must have, and an L2.</summary>
    internal const string Least = """
        {
          "preserve_device": 1,
          "id": "mine",
          "compute": { "bf16_teraflops": 400 },
          "hbm": {
            "capacity_gigabytes": 64,
            "nominal_gigabytes_per_second": 2000
          },
          "l2": {
            "capacity_mebibytes": 100,
            "read_terabytes_per_second": 5
          },
          "scale_up": { "kind": "NVLink4", "gigabytes_per_second_per_direction": 450 }
        }
        """;

    [Fact]
    public void What_is_left_out_is_assumed_and_listed()
    {
        var device = DeviceFile.Parse(Least).Device.ShouldNotBeNull();
        device.Name.ShouldBe("mine");
        device.Hbm.SustainedGigabytesPerSecond.ShouldBe(1600);
        device.L2.UsableMebibytes.ShouldBe(70);
        device.L2Known.ShouldBeTrue();
        device.Kernels.MatMulHbmTerabytesPerSecond.ShouldBe(1.6);
        device.AssumedFields.Count.ShouldBe(22);
        device.HostTransfer.ShouldBe(new HostTransferConstants(10, 25.6, 10, 12.8, 0.7, 328));
        device.HostLink.CopyEngines.ShouldBe(2);
        device.AssumedFields.ShouldContain(a => a.Field == "kernels.prefetch_fixed_microseconds" && a.Note.Length > 0);
    }

    [Fact]
    public void The_hosts_memory_is_read_where_it_is_said()
    {
        DeviceFile.Parse(Least).Device.ShouldNotBeNull().HostMemoryBytes.ShouldBeNull();
        var file = Least.Replace("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"host_memory_capacity_gigabytes\": 512 },", StringComparison.Ordinal);
        DeviceFile.Parse(file).Device.ShouldNotBeNull().HostMemoryBytes.ShouldBe(512_000_000_000);
    }

    [Fact]
    public void The_skew_of_ranks_is_read_where_it_is_declared()
    {
        DeviceFile.Parse(Least).Device.ShouldNotBeNull().ScaleUp.SkewMicroseconds.ShouldBe(0);
        DeviceFile.Parse(Least.Replace("450", "450, \"skew_microseconds\": 12.5", StringComparison.Ordinal)).Device.ShouldNotBeNull().ScaleUp.SkewMicroseconds.ShouldBe(12.5);
    }

    [Fact]
    public void What_is_set_aside_of_the_L2_is_read_where_it_is_declared()
    {
        DeviceFile.Parse(Least).Device.ShouldNotBeNull().SetAsideBytes.ShouldBe(0);
        DeviceFile.Parse(Least.Replace("100,", "100, \"persisting_share\": 0.75, \"set_aside_mebibytes\": 75,", StringComparison.Ordinal))
            .Device.ShouldNotBeNull().SetAsideBytes.ShouldBe(75L << 20);
    }

    [Fact]
    public void The_launch_of_collectives_is_read_where_it_is_declared()
    {
        var graph = DeviceCatalogue.TextOf(Preserve.Devices.H100).ShouldNotBeNull();
        var eager = graph.Replace("\"collectives\": {", "\"collectives\": { \"launch\": \"eager\",", StringComparison.Ordinal);
        eager.ShouldNotBe(graph);
        var (one, other) = (DeviceFile.Parse(graph).Device.ShouldNotBeNull(), DeviceFile.Parse(eager).Device.ShouldNotBeNull());
        one.Collectives.Launch.ShouldBe(LaunchMode.Graph);
        other.Collectives.Launch.ShouldBe(LaunchMode.Eager);
        // Whoever asks for the device's laws has those of its launch, in a plan as in a run.
        var exchange = new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8);
        var called = CostLaws.For(other).Demand(exchange, 0, 0, 0).FixedPicoseconds;
        called.ShouldBe(new CalibratedCostLaws(one, null, LaunchMode.Eager).Demand(exchange, 0, 0, 0).FixedPicoseconds);
        called.ShouldBeGreaterThan(CostLaws.For(one).Demand(exchange, 0, 0, 0).FixedPicoseconds);
    }

    [Fact]
    public void The_library_of_collectives_is_one_that_was_measured()
    {
        var vllm = With("\"library\": \"vLLM_custom\",").Device.ShouldNotBeNull();
        vllm.Collectives.Library.ShouldBe("vLLM_custom");
        CostLaws.For(vllm).MethodOf(new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8)).Library.ShouldBe("vLLM_custom");
        // It has no all-gather: the library that was measured with it takes that.
        CostLaws.For(vllm).MethodOf(new CollectiveOperation(CollectiveKind.AllGather, 65_536, 8)).Library.ShouldBe("NCCL");

        Message("\"library\": \"MPI\",").ShouldBe("collectives.library is MPI, but must be one of those that were measured: NCCL, SGLang_CustomAllReduce, TRTLLM, vLLM_custom");
        Message("\"library\": \"TRTLLM\", \"launch\": \"eager\",").ShouldBe("collectives.launch is eager, but no eager calls of TRTLLM were measured: calibration.collectives has none with eager");

        string Message(string fields) => With(fields).Errors.ShouldHaveSingleItem().Message;

        DeviceFileResult With(string fields) =>
            DeviceFile.Parse(DeviceCatalogue.TextOf(Preserve.Devices.H100).ShouldNotBeNull().Replace("\"collectives\": {", "\"collectives\": { " + fields, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"id\": \"mine\",", "", 1, 1, "id is missing")]
    [InlineData("100,", "100, \"set_aside_mebibytes\": 10,", 10, 55, "l2.set_aside_mebibytes is 10, but persisting_share is missing, which says how much may be set aside")]
    [InlineData("100,", "100, \"persisting_share\": 0.75, \"set_aside_mebibytes\": 76,", 10, 81, "l2.set_aside_mebibytes is 76, but at most 75 may be set aside, by persisting_share")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"collectives\": { \"launch\": \"lazy\" },", 3, 44, "collectives.launch is lazy, but must be one of graph, eager")]
    [InlineData("\"read_terabytes_per_second\": 5", "\"read_terabytes_per_second\": 5, \"write_terabytes_per_second\": 1", 11, 67, "l2.write_terabytes_per_second is 1, but memory sustains 1.6: an L2 takes what its memory brings")]
    [InlineData("\"read_terabytes_per_second\": 5", "\"read_rate\": 5", 11, 5, "l2.read_rate is not a field of a device file; 'read_terabytes_per_second' is")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"collectives\": { \"library\": \"NCCL\" },", 3, 45, "collectives.library is NCCL, but no library was measured: calibration.collectives has none")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"collectives\": { \"launch\": \"eager\" },", 3, 44, "collectives.launch is eager, but no eager calls of a library were measured: calibration.collectives has none with eager")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"kernels\": { \"attention_bf16_teraflops\": 401 },", 3, 58, "kernels.attention_bf16_teraflops is 401, but the peak is 400")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"kernels\": { \"matmul_8bit_share_of_peak\": 1.01 },", 3, 59, "kernels.matmul_8bit_share_of_peak is 1.01, but must be from 0.01 to 1")]
    [InlineData("\"mine\"", "\"a  b\"", 3, 9, "id is a  b, but must be of the letters a to z, digits, and . _ -")]
    [InlineData("\"mine\"", "\"a#\"", 3, 9, "id is a#, but must be of the letters a to z, digits, and . _ -")]
    [InlineData("\"preserve_device\": 1", "\"preserve_device\": 2", 2, 22, "preserve_device is 2, but must be from 1 to 1, the version of the format that this library reads")]
    [InlineData("\"bf16_teraflops\": 400", "", 4, 14, "compute.bf16_teraflops is missing")]
    [InlineData("400", "400, \"fp8_teraflop\": 800", 4, 39, "compute.fp8_teraflop is not a field of a device file; 'fp8_teraflops' is")]
    [InlineData("bf16_teraflops", "bf16_tflops", 4, 16, "compute.bf16_tflops is not a field of a device file; 'bf16_teraflops' is")]
    [InlineData("gigabytes_per_second_per_direction", "nominal_gigabytes_per_second", 13, 36, "scale_up.nominal_gigabytes_per_second is not a field of a device file; 'gigabytes_per_second_per_direction' is")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"gigabytes_per_second_per_direction\": 64 },", 3, 32, "host_link.gigabytes_per_second_per_direction is not a field of a device file; 'nominal_gigabytes_per_second' is")]
    [InlineData("nominal_gigabytes_per_second", "nominal_terabytes_per_second", 7, 5, "hbm.nominal_terabytes_per_second is not a field of a device file; 'nominal_gigabytes_per_second' is")]
    [InlineData("400", "400, \"fp8_teraflops\": 399", 4, 56, "compute.fp8_teraflops is 399, but bf16 is computed at 400: a format of fewer bits is not computed slower; leave it out where the device does not compute it")]
    [InlineData("400", "400, \"fp8_teraflops\": 800, \"fp4_teraflops\": 700", 4, 78, "compute.fp4_teraflops is 700, but fp8 is computed at 800: a format of fewer bits is not computed slower; leave it out where the device does not compute it")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"name\": \"a\\u001b[31m\",", 3, 25, "name is a\\u001b[31m, but must be one printable line")]
    [InlineData("\"NVLink4\"", "\"a\\u202eb\"", 13, 25, "scale_up.kind is a\\u202eb, but must be one printable line")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"sources\": [{ \"field\": \"hbm\", \"note\": \"a\\nb\" }],", 3, 55, "a note of sources is 'a\\u000ab', but must be one printable line")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"collectives\": { \"latency_microseconds\": 0 },", 3, 58, "collectives.latency_microseconds is 0, but must be from 0.1 to 1000 (in 10^-6 seconds; one access to another rank's memory alone takes more than the least)")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"collectives\": { \"latency_microseconds\": 0.00003 },", 3, 58, "collectives.latency_microseconds is 0.00003, but must be from 0.1 to 1000 (in 10^-6 seconds; one access to another rank's memory alone takes more than the least)")]
    [InlineData("450", "450, \"skew_microseconds\": -1", 13, 100, "scale_up.skew_microseconds is -1, but must be from 0 to 1000 (in 10^-6 seconds)")]
    [InlineData("450", "450, \"ranks\": 1", 13, 88, "scale_up.ranks is 1, but must be from 2 to 100000")]
    [InlineData("400", "-400", 4, 34, "compute.bf16_teraflops is -400, but must be from 0.001 to 100000 (in 10^12 operations per second)")]
    [InlineData("400", "\"400\"", 4, 34, "compute.bf16_teraflops must be a number")]
    [InlineData("2000", "0", 7, 37, "hbm.nominal_gigabytes_per_second is 0, but must be from 4 to 50000 (in 10^9 bytes per second, not bits)")]
    [InlineData("2000", "4.2", 7, 37, "hbm.nominal_gigabytes_per_second is 4.2, but memory of 64 GB does not take more than 15 seconds to read: are these 10^12 bytes?")]
    [InlineData("2000", "2000, \"sustained_gigabytes_per_second\": 4.1", 7, 77, "hbm.sustained_gigabytes_per_second is 4.1, but memory of 64 GB does not take more than 15 seconds to read: are these 10^12 bytes?")]
    [InlineData("400", "0.4", 4, 34, "compute.bf16_teraflops is 0.4, but memory brings 2000 GB a second, and no device computes less than one operation for each byte: are these 10^15 operations?")]
    [InlineData("2000", "6000", 7, 37, "hbm.nominal_gigabytes_per_second is 6000, but memory of 64 GB is not read more than 90 times a second: are these bits?")]
    [InlineData("2000", "2000, \"sustained_gigabytes_per_second\": 2001", 7, 77, "hbm.sustained_gigabytes_per_second is 2001, but the nominal rate is 2000")]
    [InlineData("\"read_terabytes_per_second\": 5", "\"read_terabytes_per_second\": 1.5", 11, 34, "l2.read_terabytes_per_second is 1.5, but memory sustains 1.6: an L2 is not slower than what it caches")]
    [InlineData("\"capacity_mebibytes\": 100", "\"capacity_mebibytes\": 104857600", 10, 27, "l2.capacity_mebibytes is 104857600, but must be from 0.25 to 4096 (in 2^20 bytes)")]
    [InlineData("100,", "100, \"usable_mebibytes\": 101,", 10, 52, "l2.usable_mebibytes is 101, but the capacity is 100")]
    [InlineData("100,", "100, \"usable_mebibytes\": 60, \"limit_mebibytes\": 59,", 10, 75, "l2.limit_mebibytes is 59, but the usable part is 60")]
    [InlineData("100,", "100, \"limit_mebibytes\": 101,", 10, 51, "l2.limit_mebibytes is 101, but the capacity is 100")]
    [InlineData("450", "3600", 13, 74, "scale_up.gigabytes_per_second_per_direction is 3600, but NVLink4 carries 450 in one direction: are these bits, or both directions?")]
    [InlineData("\"NVLink4\"", "4", 13, 25, "scale_up.kind must be a text in quotes, and not empty")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"doubtful\": [{ \"field\": \"hbm.capacity\", \"note\": \"?\" }],", 3, 41, "'hbm.capacity' is not a field of a device file; 'hbm.capacity_gigabytes' is")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"assumed\": [1],", 3, 29, "an item of assumed must be an object with a field and a note, both texts")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"collectives\": { \"one_shot\": { \"latency_microseconds\": 3 } },", 3, 46, "collectives.one_shot.gigabytes_per_second is missing")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"kernels\": { \"event_microseconds\": 3000000 },", 3, 52, "kernels.event_microseconds is 3000000, but must be from 0 to 1000 (in 10^-6 seconds)")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"kind\": \"pcie 5.0x16\", \"nominal_gigabytes_per_second\": 512 },", 3, 87, "host_link.nominal_gigabytes_per_second is 512, but pcie 5.0x16 carries 64 in one direction: are these bits, or both directions?")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"kind\": \"PCIe 5.0 x16\", \"nominal_gigabytes_per_second\": 512 },", 3, 88, "host_link.nominal_gigabytes_per_second is 512, but PCIe 5.0 x16 carries 64 in one direction: are these bits, or both directions?")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"pageable_gigabytes_per_second\": 26 },", 3, 65, "host_link.pageable_gigabytes_per_second is 26, but pinned memory is copied at 25.6: pageable memory passes through it")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"copy_engines\": 1.5 },", 3, 48, "host_link.copy_engines is 1.5, but engines are counted whole")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\" \"x\"", 3, 16, "expected ',' or '}' after a member, found '\"'")]
    public void What_is_wrong_is_named_at_its_line(string sound, string wrong, int line, int column, string message)
    {
        Least.ShouldContain(sound);
        var result = DeviceFile.Parse(Least.ReplaceLineEndings("\n").Replace(sound, wrong, StringComparison.Ordinal));
        result.Device.ShouldBeNull();
        result.Errors.ShouldBe([new DeviceFileError(line, column, message)]);
    }

    /// <summary>Who types mistakes a unit for another; what was measured is as slow as it is.</summary>
    [Theory]
    [InlineData("400", "0.4", "compute", "measured: a matmul of 64 rows", true)]
    [InlineData("400", "0.4", "compute", "not measured", false)]
    [InlineData("400", "0.4", "hbm", "measured: a copy", false)]
    [InlineData("2000", "4.2", "hbm", "measured: a copy", true)]
    [InlineData("2000", "4.2", "compute", "measured: a copy", false)]
    public void A_measured_rate_is_not_taken_for_one_in_another_unit(string sound, string slow, string field, string note, bool taken)
    {
        var text = Least.Replace(sound, slow, StringComparison.Ordinal)
            .Replace("\"id\": \"mine\",", $$"""
                "id": "mine", "sources": [{ "field": "{{field}}", "note": "{{note}}" }],
                """, StringComparison.Ordinal);
        (DeviceFile.Parse(text).Device is not null).ShouldBe(taken, string.Join('\n', DeviceFile.Parse(text).Errors.Select(e => e.Message)));
    }

    [Theory]
    [InlineData("InfiniBand NDR", 400, 50)]
    [InlineData("InfiniBand XDR x2", 201, 200)]
    [InlineData("400 GbE", 400, 50)]
    [InlineData("100GbE x4", 51, 50)]
    [InlineData("400GBE", 51, 50)]
    [InlineData("100GbEx4", 51, 50)]
    [InlineData("8x 400 GbE", 401, 400)]
    [InlineData("8x400GbE", 401, 400)]
    [InlineData("Infiniband HDR 200G", 200, 25)]
    [InlineData("InfiniBand HDR100", 100, 12.5)]
    [InlineData("InfiniBand NDR-200 x2", 51, 50)]
    [InlineData("InfiniBand 400 Gb/s", 51, 50)]
    [InlineData("Mellanox InfiniBand EDR", 100, 12.5)]
    [InlineData("ConnectX7 400GbE", 51, 50)]
    [InlineData("Ethernet 100G", 100, 12.5)]
    [InlineData("100 Gbit/s Ethernet", 13, 12.5)]
    [InlineData("100-GbE", 100, 12.5)]
    [InlineData("RoCE 400G", 400, 50)]
    [InlineData("RoCEv2 400Gbps", 400, 50)]
    [InlineData("nvlink4", 3600, 450)]
    [InlineData("NVLink-4", 3600, 450)]
    [InlineData("NVLink 4.0", 3600, 450)]
    [InlineData("NVLink Gen4", 900, 450)]
    [InlineData("NV-Link 4", 900, 450)]
    [InlineData("NVIDIA NVLink 5, NVSwitch", 1800, 900)]
    [InlineData("NVLink4 (18 links)", 451, 450)]
    [InlineData("NVLink 3, 4 links", 101, 100)]
    [InlineData("PCIe 5.0 x16", 512, 64)]
    [InlineData("PCIe5.0x16", 512, 64)]
    [InlineData("PCIe Gen5 x16", 512, 64)]
    [InlineData("PCIe Gen 5", 512, 64)]
    [InlineData("PCIe5 x16", 512, 64)]
    [InlineData("PCIe x8 Gen4", 17, 16)]
    [InlineData("PCI Express 5.0 x16", 512, 64)]
    [InlineData("PCI-Express 4.0, 8 lanes", 17, 16)]
    [InlineData("PCI-E 3.0 16x", 17, 16)]
    [InlineData("pcie-6.0-x16 (switch)", 129, 128)]
    public void A_kind_is_known_however_it_is_spelled_and_holds_its_rate(string kind, double rate, double carries)
    {
        var error = DeviceFile.Parse(Least.Replace("NVLink4", kind, StringComparison.Ordinal).Replace("450", FormattableString.Invariant($"{rate}"), StringComparison.Ordinal)).Errors.ShouldHaveSingleItem();
        error.Message.ShouldBe(FormattableString.Invariant($"scale_up.gigabytes_per_second_per_direction is {rate}, but {kind} carries {carries} in one direction: are these bits, or both directions?"));
    }

    /// <summary>The fastest that such a link may be here is what memory brings.</summary>
    [Theory]
    [InlineData("NVLink")]
    [InlineData("NVLink 9")]
    [InlineData("NVLink (18 links)")]
    [InlineData("NVLink 4 links")]
    [InlineData("NVLink-C2C")]
    [InlineData("PCIe x16")]
    [InlineData("PCIe")]
    [InlineData("InfiniBand")]
    [InlineData("Ethernet 100")]
    [InlineData("Ethernet, 400 GB/s")]
    [InlineData("Infinity Fabric x7")]
    [InlineData("HCCS x7")]
    [InlineData("ICI 3D x6")]
    [InlineData("PCIe 4.0 x16 and NVLink bridge")]
    [InlineData("PCIe 5.0 x16 with Infinity Fabric")]
    [InlineData("own link")]
    [InlineData("4.0 x16")]
    public void A_kind_without_a_generation_is_not_known_and_is_no_faster_than_memory(string kind)
    {
        Of("2000").ShouldBeEmpty();
        Of("2001").ShouldHaveSingleItem().Message.ShouldBe(
            $"scale_up.gigabytes_per_second_per_direction is 2001, but memory brings 2000 GB a second, and what {kind} carries comes from there: are these bits?");

        EquatableArray<DeviceFileError> Of(string rate) => DeviceFile.Parse(Least.Replace("NVLink4", kind, StringComparison.Ordinal).Replace("450", rate, StringComparison.Ordinal)).Errors;
    }

    [Theory]
    [InlineData("450", "56.25", 13, 74, "scale_up.gigabytes_per_second_per_direction is 56.25, about an eighth of the 450 that NVLink4 carries in one direction")]
    [InlineData("450", "45", 13, 74, "scale_up.gigabytes_per_second_per_direction is 45, about an eighth of the 450 that NVLink4 carries in one direction")]
    [InlineData("2000", "2000, \"sustained_gigabytes_per_second\": 225", 7, 77, "hbm.sustained_gigabytes_per_second is 225, about an eighth of the 2000 that memory carries on paper")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"kind\": \"PCIe 5.0 x16\", \"nominal_gigabytes_per_second\": 8 },", 3, 88, "host_link.nominal_gigabytes_per_second is 8, about an eighth of the 64 that PCIe 5.0 x16 carries in one direction")]
    [InlineData("\"id\": \"mine\",", "\"id\": \"mine\", \"host_link\": { \"nominal_gigabytes_per_second\": 64, \"sustained_gigabytes_per_second\": 7 },", 3, 102, "host_link.sustained_gigabytes_per_second is 7, about an eighth of the 64 that the link carries on paper")]
    public void An_eighth_is_doubted_and_read(string sound, string doubtful, int line, int column, string message)
    {
        var result = DeviceFile.Parse(Least.ReplaceLineEndings("\n").Replace(sound, doubtful, StringComparison.Ordinal));
        result.Device.ShouldNotBeNull();
        result.Doubts.ShouldBe([new DeviceFileError(line, column, message + ": was a rate in bytes divided by 8 as if it were one in bits?")]);
    }

    [Theory]
    [InlineData("450", "39")]
    [InlineData("450", "60")]
    [InlineData("\"NVLink4\", \"gigabytes_per_second_per_direction\": 450", "\"own\", \"gigabytes_per_second_per_direction\": 1")]
    [InlineData("2000", "2000, \"sustained_gigabytes_per_second\": 1000")]
    public void Another_share_is_not_doubted(string sound, string other)
    {
        Least.ShouldContain(sound);
        DeviceFile.Parse(Least.Replace(sound, other, StringComparison.Ordinal)).ShouldSatisfyAllConditions(r => r.Device.ShouldNotBeNull(), r => r.Doubts.ShouldBeEmpty());
    }

    [Fact]
    public void No_built_in_device_is_doubted()
    {
        foreach (var id in DeviceCatalogue.Ids)
            DeviceFile.Parse(DeviceCatalogue.TextOf(id)!).Doubts.ShouldBeEmpty(id);
    }

    [Fact]
    public void All_errors_are_found_at_once()
    {
        var result = DeviceFile.Parse(Least.Replace("400", "0", StringComparison.Ordinal).Replace("2000", "-1", StringComparison.Ordinal));
        result.Errors.Select(e => e.Line).ShouldBe([4, 7]);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("{}")]
    [InlineData("{\"hbm\": 3, \"l2\": [], \"assumed\": {}, \"kernels\": \"\"}")]
    public void Other_texts_are_refused(string text)
    {
        var result = DeviceFile.Parse(text);
        result.Device.ShouldBeNull();
        result.Errors.ShouldNotBeEmpty();
    }

    [Fact]
    public void A_damaged_file_gives_a_device_or_errors_in_it()
    {
        var sound = DeviceCatalogue.TextOf("b200-sxm")!;
        var damage = from at in Gen.Choose(0, sound.Length - 20)
                     from length in Gen.Choose(0, 18)
                     from put in Gen.Elements("", "0", "-", "1e9", "null", "{", "]", "\"", ",")
                     select (at, length, put);
        Prop.ForAll(damage.ToArbitrary(), d =>
        {
            var text = sound.Remove(d.at, d.length).Insert(d.at, d.put);
            var result = DeviceFile.Parse(text);
            (result.Device is null).ShouldBe(result.Errors.Count > 0);
            result.Errors.ShouldAllBe(e => e.Line >= 1 && e.Line <= text.Split('\n', StringSplitOptions.None).Length && e.Column >= 1);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000).WithReplay(77, 5));
    }
}
