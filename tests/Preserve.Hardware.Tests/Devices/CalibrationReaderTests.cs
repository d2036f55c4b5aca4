namespace Preserve.Hardware.Tests.Devices;

public class CalibrationReaderTests
{
    private const string Sound = """
        {
          "preserve_device": 1,
          "id": "mine",
          "compute": { "bf16_teraflops": 400 },
          "hbm": { "capacity_gigabytes": 64, "nominal_gigabytes_per_second": 2000, "sustained_gigabytes_per_second": 1900 },
          "scale_up": { "kind": "NVLink4", "gigabytes_per_second_per_direction": 450 },
          "host_link": { "kind": "PCIe 5.0 x16", "nominal_gigabytes_per_second": 64 },
          "calibration": {
            "command": "by hand",
            "multiprocessors": 100,
            "matmul": [
              { "precision": "bf16",
                "streaming": { "fixed_microseconds": 3, "split_nanoseconds_per_root_element": 20, "ramp_microseconds_per_root_megabyte": 0,
                  "hbm_terabytes_per_second": 1.8, "wave_share": 0.05, "hot_fixed_microseconds": 2, "hot_serial_nanoseconds_per_element": 1,
                  "l2_terabytes_per_second": 6, "band": { "low": 0.9, "high": 1.1 }, "hot_band": { "low": 0.9, "high": 1.1 } },
                "tiled": { "fixed_microseconds": 3, "split_nanoseconds_per_root_element": 20, "hbm_terabytes_per_second": 1.8,
                  "teraflops": 350, "wave_microseconds": 0.5, "quantize_picoseconds": 0, "quantize_row_nanoseconds": 0, "band": { "low": 0.9, "high": 1.1 } } }
            ],
            "collectives": [
              { "library": "NCCL", "kind": "all_reduce", "ranks": 8, "algorithms": [
                  { "name": "ring", "latency_microseconds": 15, "chunk_microseconds_per_root_megabyte": 0, "gigabytes_per_second": 400 } ],
                "band": { "low": 0.9, "high": 1.1 } }
            ],
            "host_transfer": { "pinned_latency_microseconds": 9, "pinned_gigabytes_per_second": 55, "pageable_latency_microseconds": 12,
              "pageable_gigabytes_per_second": 12, "duplex_share": 0.8, "host_memory_gigabytes_per_second": 300 }
          }
        }
        """;

    [Fact]
    public void Constants_are_read()
    {
        var calibration = DeviceFile.Parse(Sound).Device.ShouldNotBeNull().Calibration.ShouldNotBeNull();
        calibration.Command.ShouldBe("by hand");
        calibration.Multiprocessors.ShouldBe(100);
        calibration.MatMul[0].Streaming.L2TerabytesPerSecond.ShouldBe(6);
        calibration.MatMul[0].Tiled.Band.ShouldBe(new ResidualBand(0.9, 1.1));
        calibration.Collectives[0].Algorithms[0].ShouldBe(new CalibratedAlgorithm(CollectiveAlgorithmName.Ring, 15, 0, 400));
        calibration.HostTransfer!.DuplexShare.ShouldBe(0.8);
        calibration.Decode.ShouldBeNull();
    }

    [Fact]
    public void An_L2_may_be_as_fast_as_the_file_says()
    {
        var fast = Sound.Replace("\"l2_terabytes_per_second\": 6", "\"l2_terabytes_per_second\": 30", StringComparison.Ordinal);
        DeviceFile.Parse(fast).Errors.Count.ShouldBe(1);
        DeviceFile.Parse(fast.Replace("\"scale_up\"", "\"l2\": { \"read_terabytes_per_second\": 30 }, \"scale_up\"", StringComparison.Ordinal)).Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("\"hbm_terabytes_per_second\": 1.8, \"wave", "\"hbm_terabytes_per_second\": 2.1, \"wave", 14, "calibration.matmul[0].streaming.hbm_terabytes_per_second is 2.1, but memory gives 2 on paper: are these bits, or gigabytes?")]
    [InlineData("\"hbm_terabytes_per_second\": 1.8, \"wave", "\"hbm_terabytes_per_second\": 1.95, \"wave", 14, "calibration.matmul[0].streaming.hbm_terabytes_per_second is 1.95, but hbm.sustained_gigabytes_per_second lets all kernels together draw 1.9")]
    [InlineData("\"l2_terabytes_per_second\": 6", "\"l2_terabytes_per_second\": 1.7", 15, "calibration.matmul[0].streaming.l2_terabytes_per_second is 1.7, but the kernel draws 1.8 from memory: an L2 is not slower than what it caches")]
    [InlineData("\"l2_terabytes_per_second\": 6", "\"l2_terabytes_per_second\": 20.1", 15, "calibration.matmul[0].streaming.l2_terabytes_per_second is 20.1, but beside memory of 2 an L2 gives at most 20, where l2.read_terabytes_per_second does not say more: are these gigabytes?")]
    [InlineData("\"teraflops\": 350", "\"teraflops\": 401", 17, "calibration.matmul[0].tiled.teraflops is 401, but the peak is 400")]
    [InlineData("\"gigabytes_per_second\": 400", "\"gigabytes_per_second\": 3200", 21, "calibration.collectives[0].algorithms[0].gigabytes_per_second is 3200, but the link carries 450 in one direction: are these bits?")]
    [InlineData("\"split_nanoseconds_per_root_element\": 20, \"ramp", "\"split_nanoseconds_per_root_element\": -20, \"ramp", 13, "calibration.matmul[0].streaming.split_nanoseconds_per_root_element is -20, but must be from 0 to 100000 (in 10^-9 seconds)")]
    [InlineData("\"wave_share\": 0.05", "\"wave_share\": 5", 14, "calibration.matmul[0].streaming.wave_share is 5, but must be from 0 to 1")]
    [InlineData("\"wave_share\": 0.05, ", "", 13, "calibration.matmul[0].streaming.wave_share is missing")]
    [InlineData("\"wave_share\": 0.05", "\"wave_shares\": 0.05, \"wave_share\": 0", 14, "calibration.matmul[0].streaming.wave_shares is not a field of a device file; 'wave_share' is")]
    [InlineData("\"multiprocessors\": 100", "\"multiprocessors\": 1.5", 10, "calibration.multiprocessors is 1.5, but must be a whole number")]
    [InlineData("\"precision\": \"bf16\"", "\"precision\": \"fp12\"", 12, "calibration.matmul[0].precision is fp12, but must be one of bf16, fp8, int8")]
    [InlineData("{ \"low\": 0.9, \"high\": 1.1 } } }\n    ],", "{ \"low\": 1.2, \"high\": 1.1 } } }\n    ],", 17, "calibration.matmul[0].tiled.band.low is 1.2, but high is 1.1")]
    [InlineData("{ \"low\": 0.9, \"high\": 1.1 } } }\n    ],", "{ \"low\": 1.05, \"high\": 1.1 } } }\n    ],", 17, "calibration.matmul[0].tiled.band.low is 1.05, but a band holds 1, the law's own time")]
    [InlineData("{ \"low\": 0.9, \"high\": 1.1 } } }\n    ],", "{ \"low\": 0.5, \"high\": 0.9 } } }\n    ],", 17, "calibration.matmul[0].tiled.band.high is 0.9, but a band holds 1, the law's own time")]
    [InlineData("{ \"low\": 0.9, \"high\": 1.1 }, \"hot_band\"", "{ \"low\": 1, \"high\": 0.99 }, \"hot_band\"", 15, "calibration.matmul[0].streaming.band.low is 1, but high is 0.99")]
    [InlineData("\"pinned_gigabytes_per_second\": 55", "\"pinned_gigabytes_per_second\": 65", 24, "calibration.host_transfer.pinned_gigabytes_per_second is 65, but the link carries 64 in one direction: are these bits, or both directions?")]
    [InlineData("\"pageable_gigabytes_per_second\": 12", "\"pageable_gigabytes_per_second\": 60", 25, "calibration.host_transfer.pageable_gigabytes_per_second is 60, but pinned memory is copied at 55: pageable memory passes through it")]
    [InlineData("\"band\": { \"low\": 0.9, \"high\": 1.1 } }\n    ],\n    \"host", "\"largest_bytes\": 100, \"band\": { \"low\": 0.9, \"high\": 1.1 } }\n    ],\n    \"host", 22, "calibration.collectives[0].largest_bytes is 100, but no fallback takes larger messages")]
    [InlineData("\"band\": { \"low\": 0.9, \"high\": 1.1 } }\n    ],\n    \"host", "\"fallback\": \"MPI\", \"band\": { \"low\": 0.9, \"high\": 1.1 } }\n    ],\n    \"host", 22, "calibration.collectives[0].fallback is MPI, but it has no collective of the same kind and 8 ranks")]
    [InlineData("\"matmul\": [", "\"tables\": 3, \"matmul\": [", 11, "calibration.tables must be a list of objects")]
    [InlineData("\"band\": { \"low\": 0.9, \"high\": 1.1 } }\n    ],\n    \"host", "\"fallback\": \"NCCL\", \"band\": { \"low\": 0.9, \"high\": 1.1 } }\n    ],\n    \"host", 22, "calibration.collectives[0].fallback is NCCL, but it is the library itself")]
    [InlineData("\"matmul\": [", "\"tables\": [{ \"table\": \"a\", \"rows\": 8, \"held_out\": 7, \"dropped\": 2 }], \"matmul\": [", 11, "calibration.tables[0].held_out is 7, but with the 2 that were dropped it is more than all 8 rows")]
    [InlineData("\"collectives\": [", "\"small_operators\": [{ \"operator\": \"norm\", \"fixed_microseconds\": 1, \"row_nanoseconds\": 1, \"terabytes_per_second\": 1 },\n { \"operator\": \"norm\", \"fixed_microseconds\": 2, \"row_nanoseconds\": 1, \"terabytes_per_second\": 1 }], \"collectives\": [", 20, "calibration.small_operators[1].operator is norm, but it stands already")]
    public void What_is_wrong_is_named_at_its_line(string sound, string wrong, int line, string message)
    {
        var text = Sound.ReplaceLineEndings("\n");
        text.ShouldContain(sound);
        var errors = DeviceFile.Parse(text.Replace(sound, wrong, StringComparison.Ordinal)).Errors;
        errors.Select(e => (e.Line, e.Message)).ShouldBe([(line, message)]);
    }
}
