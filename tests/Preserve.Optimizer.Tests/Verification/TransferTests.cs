namespace Preserve.Optimizer.Tests.Verification;

/// <summary>What is proved of copies between host and device: a decode step whose KV-cache lies in host memory.</summary>
public class TransferTests
{
    private const string Text = """
        preserve plans 1

        plan  decode batch 1 context 100
          model  Tiny
          device  h100-sxm
          ranks  1
          layers  4
          policy  none
          prefetch room  0 bytes
          arena  4,096 bytes
          tensors
            embedding  weight  int8  64 bytes  own buffer  once
            qkv_weight  weight  int8  192 bytes  own buffer  per layer
            kv  key-values  bf16  c+1 tokens x 32 bytes  host pinned  per layer
            h  value  bf16  16 bytes  arena 0  per layer
            q  value  bf16  16 bytes  arena 16  per layer
            kv_new  value  bf16  32 bytes  arena 32  per layer
            kv_past  value  bf16  32c bytes  arena 64  per layer
          instructions
            compute  attention  embed 1 x 8  embedding -> 0.h  signals
            repeat 4 times  layers i = 0 to 3
              host-to-device  load  copy 32c bytes to the device, pinned  i.kv[0:c] -> i.kv_past  after attention  signals
              compute  qkv  matmul 1 x 8 by 8 x 24, int8 by int8  i.h, i.qkv_weight -> i.q, i.kv_new  signals
              device-to-host  save  copy 32 bytes to the host, pinned  i.kv_new -> i.kv[c:c+1]  after qkv  signals
              compute  attention  attention 1 x 1 tokens, 1 query and 1 KV heads of 8, c+1 pairs  i.q, i.kv_past, i.kv_new -> i+1.h  after load, save  signals
            end
        """;

    [Fact]
    public void A_cache_in_host_memory_is_attended_to_by_way_of_copies()
    {
        PlanVerifier.Verify(Plan()).ShouldBeEmpty();
        PlanVerifier.Verify(Plan().Unroll()).ShouldBeEmpty();
        PlanText.ReadPlan(PlanText.Write(Plan())).ShouldBe(Plan());
    }

    [Theory]
    [InlineData("-> i.kv_past  after attention", "-> i.kv_past", PlanFaultKind.Overwrite, "over 'kv_past'")]
    [InlineData("after load, save", "after load", PlanFaultKind.Overwrite, "over 'kv_new'")]
    [InlineData("after load, save", "after save", PlanFaultKind.Read, "reads 'kv_past'")]
    [InlineData("i.kv[c:c+1]  after qkv", "i.kv[c:c+1]", PlanFaultKind.Read, "reads 'kv_new'")]
    [InlineData("copy 32 bytes to the host, pinned  i.kv_new -> i.kv[c:c+1]", "copy 32 bytes to the host, pinned  i.kv_new -> i.kv[0:1]", PlanFaultKind.KeyValueRange, "the new entries are from")]
    [InlineData("i.kv[0:c] -> i.kv_past", "i.kv[1:c+1] -> i.kv_past", PlanFaultKind.Read, "before they are stored")]
    [InlineData("i.q, i.kv_past, i.kv_new -> i+1.h", "i.q, i.kv_new -> i+1.h", PlanFaultKind.KeyValueRange, "where [0, ...) comes next")]
    [InlineData("i.q, i.kv_past, i.kv_new -> i+1.h", "i.q, i.kv_past -> i+1.h", PlanFaultKind.KeyValueRange, "attended tokens of 'kv'")]
    [InlineData("i.q, i.kv_past, i.kv_new -> i+1.h", "i.q -> i+1.h", PlanFaultKind.KeyValueRange, "reads no entries of a KV-cache")]
    [InlineData("i.h, i.qkv_weight -> i.q", "i.h, i.qkv_weight, i.kv[0:c] -> i.q", PlanFaultKind.Reference, "touches 'kv', which lies in host memory")]
    [InlineData("host pinned", "host pageable", PlanFaultKind.Reference, "'kv' is not in pinned memory of the host")]
    [InlineData("32c bytes  arena 64", "{32c; c>=50: 1600} bytes  arena 64", PlanFaultKind.Reference, "bytes to a place of 1600")]
    [InlineData("host-to-device  load", "device-to-host  load", PlanFaultKind.Reference, "run on the stream of their direction")]
    [InlineData("compute  qkv", "host-to-device  qkv", PlanFaultKind.Reference, "run on the stream of their direction")]
    [InlineData("i.kv[0:c] -> i.kv_past", "i.kv[0:c] -> i.kv[0:c]", PlanFaultKind.Reference, "'kv' is not in memory of the device")]
    public void A_fault_is_named(string part, string damaged, PlanFaultKind kind, string message)
    {
        Text.ShouldContain(part);
        var fault = PlanVerifier.Verify(PlanText.ReadPlan(Text.Replace(part, damaged)))[0];
        fault.Kind.ShouldBe(kind);
        fault.Message.ShouldContain(message);
    }

    [Theory]
    [InlineData("copy 32c bytes to the device, pinned", "copy 33c bytes to the device, pinned", "'copy 33c bytes to the device, pinned' is not a copy such as 'copy 32c bytes to the device, pinned'")]
    [InlineData("to the host, pinned", "to the host, paged", "is not a copy such as 'copy 32 bytes to the device, pinned'")]
    [InlineData("host pinned", "host swapped", "'host swapped' is not a host memory; one of: host pageable, host pinned")]
    public void A_damaged_text_is_refused(string part, string damaged, string message) =>
        Should.Throw<FormatException>(() => PlanText.ReadPlan(Text.Replace(part, damaged))).Message.ShouldContain(message);

    [Fact]
    public void The_copies_bound_the_step()
    {
        DeviceCatalogue.TryGet(Devices.H100, out var device).ShouldBeTrue();
        // 4 layers of 3200 bytes, at 0.1 GB/s: 128 us, more than the launches of the critical path.
        var laws = new NominalCostLaws(device with { HostLink = device.HostLink with { SustainedGigabytesPerSecond = 0.1 } });
        var bound = LowerBound.Of(Plan(), 100, laws);
        bound.BoundBy.ShouldBe("host link, to the device");
        bound.Picoseconds.ShouldBe(4 * 3200 * 10_000L);
    }

    private static ExecutionPlan Plan() => PlanText.ReadPlan(Text);
}
