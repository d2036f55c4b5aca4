namespace Preserve.Hardware.Tests.Costs;

public class NominalCostLawsTests
{
    [Theory]
    [InlineData(Precision.Int8, Precision.Int8, 0.5 * 707.8, 8_600_000)]
    [InlineData(Precision.Int8, Precision.Bf16, 0.8 * 353.9, 4_200_000)]
    [InlineData(Precision.Int4, Precision.Int8, 0.8 * 353.9, 4_200_000)]
    [InlineData(Precision.Fp8, Precision.Fp8, 0.8 * 353.9, 4_200_000)]
    public void The_rate_of_a_format_needs_both_inputs_in_it_and_activations_are_converted_to_it_first(Precision weights, Precision activations, double teraflops, long picoseconds)
    {
        var laws = Laws("ascend-910b2");
        var demand = laws.Demand(new MatMulOperation(4, 100, 1000, weights, activations), 0, 0, 0);
        demand.Flops.ShouldBe(800_000);
        demand.FlopsPerPicosecond.ShouldBe(teraflops, tolerance: 1e-9);
        demand.FixedPicoseconds.ShouldBe(picoseconds);
        var recomputed = laws.Demand(new RecomputeOperation(1, 4, 1, 50, 1000, weights, activations, Rotates: true, Normalises: false), 0, 0, 0);
        (recomputed.FixedPicoseconds, recomputed.FlopsPerPicosecond).ShouldBe((demand.FixedPicoseconds, demand.FlopsPerPicosecond));
    }

    [Fact]
    public void Rates_of_attention_and_of_8_bit_matmuls_that_are_not_told_are_no_more_than_that_of_a_bf16_matmul()
    {
        var attention = new AttentionOperation(1, 1, 8, 1, 128, 1, false);
        var matMul = new MatMulOperation(4, 100, 1000, Precision.Int8, Precision.Int8);
        Rates("").ShouldBe((0.53 * 400, 0.5 * 800));
        Rates("\"matmul_bf16_teraflops\": 120").ShouldBe((120, 0.3 * 800));
        Rates("\"attention_bf16_teraflops\": 390, \"matmul_8bit_share_of_peak\": 0.9").ShouldBe((390, 0.9 * 800));

        (double, double) Rates(string kernels)
        {
            var device = DeviceFile.Parse($$"""
                { "preserve_device": 1, "id": "some", "compute": { "bf16_teraflops": 400, "int8_teraops": 800 },
                  "hbm": { "capacity_gigabytes": 100, "nominal_gigabytes_per_second": 2000 },
                  "scale_up": { "kind": "link", "gigabytes_per_second_per_direction": 100 }, "kernels": { {{kernels}} } }
                """).Device!;
            var laws = new NominalCostLaws(device);
            return (laws.Demand(attention, 0, 0, 0).FlopsPerPicosecond, laws.Demand(matMul, 0, 0, 0).FlopsPerPicosecond);
        }
    }

    [Fact]
    public void Attention_computes_its_pairs_at_the_context()
    {
        var attention = new AttentionOperation(2, 1, 8, 1, 128, (Amount.Context * 2) + 2, false);
        Laws("h100-sxm").Demand(attention, 99, 0, 0).Flops.ShouldBe(4.0 * 200 * 8 * 128);
    }

    [Fact]
    public void The_faster_algorithm_is_taken()
    {
        var laws = Laws("h100-sxm");
        // One shot: 3.0 us + 7 x 64 KiB / 254 GB/s. Two shots from 8 MiB on: 9.3 us + 2 x 7/8 x 8 MiB / 340 GB/s.
        var small = laws.Demand(new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8), 0, 0, 0);
        (small.FixedPicoseconds, small.LinkBytes, small.LinkBytesPerPicosecond).ShouldBe((3_000_000, 7.0 * 65_536, 0.254));
        var large = laws.Demand(new CollectiveOperation(CollectiveKind.AllReduce, 8 << 20, 8), 0, 0, 0);
        (large.FixedPicoseconds, large.LinkBytes, large.LinkBytesPerPicosecond).ShouldBe((9_300_000, 1.75 * (8 << 20), 0.34));
        var gathered = laws.Demand(new CollectiveOperation(CollectiveKind.AllGather, 1000, 8), 0, 0, 0);
        gathered.LinkBytes.ShouldBe(7000);
    }

    [Fact]
    public void The_law_says_which_algorithm_it_takes_at_a_size()
    {
        // One shot and two shots of the H100 meet where 3.0 us + 7 B / 254 GB/s is 9.3 us + 1.75 B / 340 GB/s: at 281,126 bytes.
        var laws = Laws("h100-sxm");
        laws.MethodOf(new CollectiveOperation(CollectiveKind.AllReduce, 281_000, 8)).ToString().ShouldBe("one-shot");
        laws.MethodOf(new CollectiveOperation(CollectiveKind.AllReduce, 281_300, 8)).ToString().ShouldBe("two-shot");
        Laws("ascend-910b2").MethodOf(new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8)).ToString().ShouldBe("latency and link rate");
    }

    [Fact]
    public void Without_algorithms_the_link_and_the_latency_decide()
    {
        var demand = Laws("ascend-910b2").Demand(new CollectiveOperation(CollectiveKind.AllReduce, 80_000, 8), 0, 0, 0);
        (demand.FixedPicoseconds, demand.LinkBytes, demand.LinkBytesPerPicosecond).ShouldBe((25_000_000, 140_000.0, 0.196));
    }

    [Fact]
    public void A_reduce_scatter_receives_half_of_what_a_staged_all_reduce_does()
    {
        // 7/8 of 80,000 bytes; on the H100 in one exchange, 3.0 us and 254 GB/s.
        var scattered = new CollectiveOperation(CollectiveKind.ReduceScatter, 80_000, 8);
        var demand = Laws("ascend-910b2").Demand(scattered, 0, 0, 0);
        (demand.FixedPicoseconds, demand.LinkBytes, demand.LinkBytesPerPicosecond).ShouldBe((25_000_000, 70_000.0, 0.196));
        demand = Laws("h100-sxm").Demand(scattered, 0, 0, 0);
        (demand.FixedPicoseconds, demand.LinkBytes, demand.LinkBytesPerPicosecond).ShouldBe((3_000_000, 70_000.0, 0.254));
    }

    [Fact]
    public void A_fused_matmul_and_exchange_take_the_longer_of_both_and_a_tile_of_the_shorter()
    {
        // Ascend 910B2: the matmul 4 x 1024 by 1024 x 8192 reads 8,396,800 bytes at 1.3 TB/s or what one kernel draws, and the message of
        // 65,536 bytes receives 114,688 at 0.196 TB/s: 585,143 ps, of 64 tiles of 128 columns.
        var laws = Laws("ascend-910b2");
        var matMul = new MatMulOperation(4, 8192, 1024, Precision.Int8, Precision.Int8);
        var exchange = new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8);
        var (alone, after) = (laws.Demand(matMul, 0, 8_396_800, 0), laws.Demand(exchange, 0, 0, 0));
        var fused = laws.Demand(exchange with { MatMul = matMul }, 0, 8_396_800, 65_536);
        (fused.Flops, fused.FlopsPerPicosecond, fused.HbmBytesPerPicosecond).ShouldBe((alone.Flops, alone.FlopsPerPicosecond, alone.HbmBytesPerPicosecond));
        fused.FixedPicoseconds.ShouldBe(alone.FixedPicoseconds + (long)Math.Ceiling(114_688 / 0.196 / 64));
        // The exchange also takes what its 25 us of latency exceed the matmul's launch by.
        fused.LinkBytes.ShouldBe(114_688);
        (fused.LinkBytes / fused.LinkBytesPerPicosecond).ShouldBe((114_688 / 0.196) + after.FixedPicoseconds - alone.FixedPicoseconds, tolerance: 1e-3);
    }

    [Fact]
    public void A_fused_norm_costs_no_launch_of_its_own()
    {
        var exchange = new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8);
        var fused = exchange with { Norm = new FusedNorm(Norm.Rms, 4, 8192, Adds: true) };
        Laws("ascend-910b2").Demand(fused, 0, 147_456, 131_072).ShouldBe(Laws("ascend-910b2").Demand(exchange, 0, 65_536, 65_536));
    }

    [Fact]
    public void A_law_allocates_nothing()
    {
        var laws = Laws("h100-sxm");
        Operation[] operations =
        [
            new MatMulOperation(4, 100, 1000, Precision.Fp8, Precision.Fp8), new CollectiveOperation(CollectiveKind.AllReduce, 80_000, 8),
            new AttentionOperation(2, 1, 8, 1, 128, (Amount.Context * 2) + 2, false), new PrefetchOperation(), new JoinOperation(), new EmbedOperation(1, 1),
        ];
        var total = Sum();
        var before = GC.GetAllocatedBytesForCurrentThread();
        total += Sum();
        GC.GetAllocatedBytesForCurrentThread().ShouldBe(before);
        total.ShouldBeGreaterThan(0);

        long Sum()
        {
            var sum = 0L;
            foreach (var operation in operations)
                sum += laws.Demand(operation, 5, 100, 100).FixedPicoseconds;
            return sum;
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(1.0000001, 2)]
    [InlineData(2.9, 3)]
    public void Times_are_rounded_up(double value, long picoseconds) => Picoseconds.Ceiling(value).ShouldBe(picoseconds);

    private static NominalCostLaws Laws(string id) =>
        DeviceCatalogue.TryGet(id, out var device) ? new NominalCostLaws(device) : throw new ArgumentException(id);
}
