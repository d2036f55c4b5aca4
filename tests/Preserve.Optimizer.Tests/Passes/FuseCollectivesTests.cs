namespace Preserve.Optimizer.Tests;

public class FuseCollectivesTests
{
    private const string Tensors = """
          tensors
            h         value   bf16  32  unplaced  per layer
            out_part  value   bf16  32  unplaced  per layer
            attn_out  value   bf16  32  unplaced  per layer
            h_mid     value   bf16  32  unplaced  per layer
            mlp_in    value   bf16  32  unplaced  per layer
            n_weight  weight  bf16  16  unplaced  per layer
            w         matrix  int8  32  unplaced  per layer
            x         value   bf16  16  unplaced  once
          operators
            unassigned  embed  embed 2 x 8  -> x  no layer  replicated  whole
            unassigned  start  add 2 x 8  x -> 0.h  no layer  replicated  whole
            unassigned  out         matmul 2 x 4 by 4 x 8, int8 by int8  x, 0.w -> 0.out_part  layer 0  rows        partial
            unassigned  out_reduce  all-reduce 32 bytes over 2           0.out_part -> 0.attn_out  layer 0  replicated  whole

        """;

    private const string Head = "graph  decode batch 2 context 9  ranks 2  arena 0\n  run  layer 0  pattern 1  repeats 1 of 1\n";

    [Fact]
    public void An_addition_and_the_norm_of_its_sum_join_the_all_reduce() =>
        (Head + Tensors + """
                unassigned  attn_add    add 2 x 8       0.h, 0.attn_out -> 0.h_mid      layer 0  replicated  whole
                unassigned  mlp_norm    rms norm 2 x 8  0.h_mid, 0.n_weight -> 0.mlp_in  layer 0  replicated  whole
            """).ShouldBecome(new FuseCollectives(CollectiveFusion.Norm),
        // What passed between the kernels, attn_out, is gone; the residual stream is still written.
        """
        graph  decode batch 2 context 9  ranks 2  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h         value   bf16  32  unplaced  per layer
            out_part  value   bf16  32  unplaced  per layer
            h_mid     value   bf16  32  unplaced  per layer
            mlp_in    value   bf16  32  unplaced  per layer
            n_weight  weight  bf16  16  unplaced  per layer
            w         matrix  int8  32  unplaced  per layer
            x         value   bf16  16  unplaced  once
          operators
            unassigned  embed  embed 2 x 8  -> x  no layer  replicated  whole
            unassigned  start  add 2 x 8  x -> 0.h  no layer  replicated  whole
            unassigned  out         matmul 2 x 4 by 4 x 8, int8 by int8  x, 0.w -> 0.out_part  layer 0  rows        partial
            unassigned  out_reduce  all-reduce 32 bytes over 2, add, rms norm 2 x 8  0.out_part, 0.h, 0.n_weight -> 0.h_mid, 0.mlp_in  layer 0  replicated  whole
        """);

    [Fact]
    public void A_norm_of_the_sum_itself_joins_and_the_sum_is_written_where_others_read_it() =>
        (Head + Tensors + """
                unassigned  norm      rms norm 2 x 8  0.attn_out, 0.n_weight -> 0.mlp_in  layer 0  replicated  whole
                unassigned  attn_add  add 2 x 8       0.attn_out, 0.h -> 0.h_mid          layer 0  replicated  whole
            """).ShouldBecome(new FuseCollectives(CollectiveFusion.Norm),
            Head + Tensors.Replace(
                "all-reduce 32 bytes over 2           0.out_part -> 0.attn_out",
                "all-reduce 32 bytes over 2, rms norm 2 x 8  0.out_part, 0.n_weight -> 0.attn_out, 0.mlp_in", StringComparison.Ordinal) + """
                unassigned  attn_add  add 2 x 8       0.attn_out, 0.h -> 0.h_mid          layer 0  replicated  whole
            """);

    [Fact]
    public void A_norm_of_other_rows_keeps_its_kernel()
    {
        var before = Head + Tensors + """
                unassigned  attn_add    add 2 x 8       0.h, 0.attn_out -> 0.h_mid      layer 0  replicated  whole
                unassigned  final_norm  rms norm 1 x 8  0.h_mid, 0.n_weight -> 0.mlp_in  layer 0  replicated  whole
            """;
        before.ShouldBecome(new FuseCollectives(CollectiveFusion.Norm), before, changed: false);
    }

    [Fact]
    public void The_matmul_that_gives_the_summands_joins_their_all_reduce() =>
        (Head + Tensors).ShouldBecome(new FuseCollectives(CollectiveFusion.MatMul),
        // The tensors that nobody names in this piece go too.
        """
        graph  decode batch 2 context 9  ranks 2  arena 0
          run  layer 0  pattern 1  repeats 1 of 1
          tensors
            h         value   bf16  32  unplaced  per layer
            attn_out  value   bf16  32  unplaced  per layer
            w         matrix  int8  32  unplaced  per layer
            x         value   bf16  16  unplaced  once
          operators
            unassigned  embed  embed 2 x 8  -> x  no layer  replicated  whole
            unassigned  start  add 2 x 8  x -> 0.h  no layer  replicated  whole
            unassigned  out_reduce  all-reduce 32 bytes over 2 of matmul 2 x 4 by 4 x 8, int8 by int8  x, 0.w -> 0.attn_out  layer 0  replicated  whole
        """);

    [Fact]
    public void Without_fusion_nothing_changes() =>
        (Head + Tensors).ShouldBecome(new FuseCollectives(CollectiveFusion.None), Head + Tensors, changed: false);

    [Fact]
    public void Fused_plans_have_fewer_instructions_and_the_same_weights_and_cache()
    {
        // Of a layer's 12 kernels and 2 all-reduces, a norm and an addition behind each, or the matmul before each.
        var plans = new[] { CollectiveFusion.None, CollectiveFusion.Norm, CollectiveFusion.MatMul }
            .Select(f => Specs.PlanUnrolled(Specs.Deploy(Specs.Llama3_8B, 8, Specs.Decode(4, 1024), fusion: f))).ToList();
        plans.Select(p => p.Instructions().Count(i => i.Operation is CollectiveOperation)).Distinct().ShouldHaveSingleItem();
        var kernels = plans.Select(p => p.Instructions().Count(i => i.Operation is not (PrefetchOperation or JoinOperation))).ToList();
        // 32 layers; with norms also the first one behind the embedding's all-reduce.
        kernels.ShouldBe([kernels[0], kernels[0] - (2 * 2 * 32) - 1, kernels[0] - (2 * 32)]);
        foreach (var plan in plans)
            plan.Tensors.Where(t => t.Role != TensorRole.Value).ShouldBe(plans[0].Tensors.Where(t => t.Role != TensorRole.Value), ignoreOrder: true);
    }

    [Fact]
    public void A_fused_matmuls_weight_is_prefetched_before_its_kernel_and_stands_in_the_room_of_its_window()
    {
        // Room for qkv 10,485,760, the cache 16,777,216 and out 8,388,608, 35,651,584 together; gate and up of 58,720,256 do not fit it,
        // and down is never looked at. With 67,108,864 the room of the window beside out is that less the 8,388,608 of out itself:
        // 58,720,256, just what gate and up take.
        Prefetched(67_108_864).ShouldBe(["under_down_reduce qkv_weight", "under_down_reduce kv", "under_down_reduce out_weight", "under_out_reduce gate_up_weight"]);
        Prefetched(67_108_863).ShouldBe(["under_down_reduce qkv_weight", "under_down_reduce kv", "under_down_reduce out_weight"]);

        static IEnumerable<string> Prefetched(long room)
        {
            var plan = Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384), fusion: CollectiveFusion.MatMul), room);
            PlanVerifier.Verify(plan).ShouldBeEmpty();
            return plan.Body.OfType<Repeat>().Single().Body.OfType<Instruction>().Where(i => i.Operation is PrefetchOperation)
                .OrderBy(i => i.Label, StringComparer.Ordinal).Select(i => $"{i.Label} {i.Reads.Single().Tensor}");
        }
    }
}
