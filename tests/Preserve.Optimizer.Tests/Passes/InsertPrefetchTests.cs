namespace Preserve.Optimizer.Tests;

/// <summary>The published windows, derived by hand for Llama-3-70B on 8 ranks, int8, batch 4, 16K of context.</summary>
public class InsertPrefetchTests
{
    private static readonly ExecutionPlan _plan = Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384)));

    [Fact]
    public void The_window_after_attention_covers_gate_up_and_down()
    {
        // Hidden 8192, intermediate 28672, one byte per element, an eighth of the columns or rows:
        //   gate and up   8192 x (2 x 28672 / 8)  =  8192 x 7168  =  58,720,256
        //   down          (28672 / 8) x 8192      =  3584 x 8192  =  29,360,128
        // Together 88,080,384 bytes: the 88.1 MB of the published table. The room is 0.7 x 192 MiB = 140,928,614: both fit.
        Prefetched(_plan, "under_out_reduce", layer: 10, context: 16_384).ShouldBe(
            [("gate_up_weight", 10, 58_720_256), ("down_weight", 10, 29_360_128)]);
    }

    [Fact]
    public void The_window_after_the_mlp_covers_the_next_layers_projection_cache_and_output()
    {
        // 64 query heads and 8 KV heads of 128 over 8 ranks: 8 + 2 x 1 heads, 1280 columns.
        //   qkv   8192 x 1280                                      =  10,485,760
        //   kv    16,384 tokens x 4 sequences x 2 x 1 head x 128   =  16,777,216
        //   out   1024 x 8192                                      =   8,388,608
        // Together 35,651,584 bytes: the 35.7 MB of the published table.
        Prefetched(_plan, "under_down_reduce", layer: 10, context: 16_384).ShouldBe(
            [("qkv_weight", 11, 10_485_760), ("kv", 11, 16_777_216), ("out_weight", 11, 8_388_608)]);
    }

    [Fact]
    public void A_prefetch_that_begins_under_a_reduce_scatter_goes_on_under_the_all_gather_behind_it()
    {
        // The same bytes as of the all-reduces that the pairs stand for, once each: none again under the all-gathers. 8 tokens, so the
        // cache takes twice as much: 33,554,432.
        var plan = Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(8, 16_384), sequenceParallel: true));
        Prefetched(plan, "under_out_scatter", 10, 16_384).ShouldBe([("gate_up_weight", 10, 58_720_256), ("down_weight", 10, 29_360_128)]);
        Prefetched(plan, "under_down_scatter", 10, 16_384).ShouldBe([("qkv_weight", 11, 10_485_760), ("kv", 11, 33_554_432), ("out_weight", 11, 8_388_608)]);
        plan.Instructions().Where(i => i.Operation is PrefetchOperation).Select(i => i.Label).Distinct()
            .ShouldBe(["under_embed_scatter", "under_down_scatter", "under_out_scatter", "under_head_gather"], ignoreOrder: true);
    }

    [Fact]
    public void The_last_layers_window_covers_the_head_and_the_gather_the_next_steps_first_layer()
    {
        // The head: 128,256 / 8 = 16,032 columns x 8192 = 131,334,144 bytes, just within the room.
        var last = _plan.Body.OfType<Instruction>().Where(i => i.Operation is PrefetchOperation).ToList();
        last.Where(i => i.Label == "under_down_reduce").SelectMany(i => i.Reads).ShouldBe([new TensorReference("head_weight", LayerIndex.None)]);
        last.Where(i => i.Label == "under_head_gather").SelectMany(i => i.Reads).Select(r => (r.Tensor, r.Layer.Value))
            .ShouldBe([("qkv_weight", 0), ("kv", 0), ("out_weight", 0)]);
    }

    [Fact]
    public void The_walk_stops_at_the_first_tensor_that_does_not_fit_at_the_contexts_where_it_does_not()
    {
        // Room 20,000,000: qkv leaves 9,514,240. The cache takes 1024 bytes per token (4 sequences x 2 x 128), so
        // 9291 tokens fit (9,513,984) and 9292 do not (9,515,008). The output projection (8,388,608) needs
        // 1,125,632 or less in the cache: 1099 tokens. From 1100 on it does not fit.
        var plan = Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384)), room: 20_000_000);
        Prefetched(plan, "under_down_reduce", 10, 1_099).ShouldBe([("qkv_weight", 11, 10_485_760), ("kv", 11, 1_125_376), ("out_weight", 11, 8_388_608)]);
        Prefetched(plan, "under_down_reduce", 10, 1_100).ShouldBe([("qkv_weight", 11, 10_485_760), ("kv", 11, 1_126_400)]);
        Prefetched(plan, "under_down_reduce", 10, 9_291).ShouldBe([("qkv_weight", 11, 10_485_760), ("kv", 11, 9_513_984)]);
        Prefetched(plan, "under_down_reduce", 10, 9_292).ShouldBe([("qkv_weight", 11, 10_485_760)]);
        plan.CheckedContexts().ShouldBe([1, 1_099, 1_100, 1_101, 9_291, 9_292, 9_293, 16_384]);
    }

    [Fact]
    public void A_prefetch_begins_with_its_collective()
    {
        var repeat = _plan.Body.OfType<Repeat>().Single();
        foreach (var (collective, trigger) in new[] { ("out_reduce", "out"), ("down_reduce", "down") })
        {
            repeat.Body.OfType<Instruction>().First(i => i.Label == collective).Waits.ShouldBe([trigger]);
            repeat.Body.OfType<Instruction>().First(i => i.Label == "under_" + collective).Waits.ShouldBe([trigger]);
        }
    }

    [Fact]
    public void Unknown_room_prefetches_nothing() =>
        Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384)), room: 0).Instructions()
            .ShouldNotContain(i => i.Operation is PrefetchOperation);

    [Fact]
    public void Without_its_prefetches_a_plan_is_the_base_plan()
    {
        var basePlan = Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384), prefetch: PrefetchPolicy.None));
        PlanText.Write(_plan.WithoutPrefetch()).ShouldBe(PlanText.Write(basePlan));
    }

    [Fact]
    public void The_report_names_the_last_layers_window_though_nothing_is_prefetched()
    {
        _ = DeviceCatalogue.TryGet(Devices.Ascend910B2, out var device);
        var report = Planner.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384), prefetch: PrefetchPolicy.None), device!).Steps[0].Report;
        report.Windows.Where(w => w.Host == "down_reduce").Select(w => (w.FirstLayer, w.LastLayer, w.Candidates.Any(c => c.Tensor.Tensor == "head_weight")))
            .ShouldBe([(0, 78, false), (79, 79, true)]);
    }

    private static List<(string Tensor, int Layer, long Bytes)> Prefetched(ExecutionPlan plan, string label, int layer, int context)
    {
        var tensors = plan.Tensors.ToDictionary(t => t.Name);
        return plan.Body.OfType<Repeat>().Single().Body.OfType<Instruction>()
            .Where(i => i.Label == label)
            .SelectMany(i => i.Reads)
            .Select(r => (r.Tensor, r.Layer.Resolve(layer), (r.Range?.Length ?? tensors[r.Tensor].Units).At(context) * tensors[r.Tensor].UnitBytes))
            .Where(r => r.Item3 > 0)
            .ToList();
    }
}
