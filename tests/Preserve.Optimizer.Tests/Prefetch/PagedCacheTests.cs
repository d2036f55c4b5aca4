namespace Preserve.Optimizer.Tests;

/// <summary>A KV-cache in blocks of 16 tokens, found by a table.</summary>
public class PagedCacheTests
{
    private static readonly ExecutionPlan _plan = Plan(Specs.Llama3_70B, 8);

    [Fact]
    public void Who_touches_the_cache_reads_its_table_and_nobody_else_does()
    {
        _plan.Tensors.Single(t => t.Name == "kv").BlockUnits.ShouldBe(16);
        foreach (var instruction in _plan.Instructions())
        {
            var touches = instruction.Reads.Concat(instruction.Writes).Any(r => r.Tensor == "kv");
            instruction.Reads.Count(r => r.Tensor == "kv_blocks").ShouldBe(touches ? 1 : 0, instruction.Label);
        }
        PlanVerifier.Verify(_plan).ShouldBeEmpty();
    }

    [Fact]
    public void One_table_serves_all_layers_of_a_kind()
    {
        // 4 sequences of 16,385 tokens: 1,025 blocks each, 4 bytes an entry.
        var table = _plan.Tensors.Single(t => t.Role == TensorRole.BlockTable);
        table.PerLayer.ShouldBeFalse();
        table.Bytes.ShouldBe(4 * 1025 * 4);
    }

    [Fact]
    public void A_cut_lies_between_blocks_and_prefetches_only_entries_that_exist()
    {
        var ranges = _plan.Instructions().Where(i => i.Operation is PrefetchOperation).SelectMany(i => i.Reads).Where(r => r.Tensor == "kv").ToList();
        ranges.ShouldNotBeEmpty();
        foreach (var range in ranges.Select(r => r.Range!))
        {
            foreach (var context in new[] { 1, 17, 5000, 16_384 })
            {
                range.End.At(context).ShouldBeLessThanOrEqualTo(context);
                if (range.End.At(context) < context)
                    (range.End.At(context) % 16).ShouldBe(0);
            }
        }
    }

    [Fact]
    public void A_plan_reads_back_as_it_was_written()
    {
        var plans = Planner.Plan(Deploy(Specs.Llama3_70B, 8), Ascend);
        PlanText.Write(PlanSet.Parse(PlanText.Write(plans))).ShouldBe(PlanText.Write(plans));
    }

    [Fact]
    public void Replicated_heads_are_prefetched_once_on_each_rank()
    {
        // 8 KV heads over 16 ranks: each rank holds one of them whole, as with 8 ranks.
        var unit = Plan(Specs.Llama3_70B, 16).Tensors.Single(t => t.Name == "kv").UnitBytes;
        unit.ShouldBe(_plan.Tensors.Single(t => t.Name == "kv").UnitBytes);
    }

    [Fact]
    public void Without_the_table_a_reader_is_refused()
    {
        var nodes = _plan.Body.Select(n => n is Repeat r ? r with { Body = r.Body.Select(Drop).ToArray() } : n).ToArray();
        PlanVerifier.Verify(_plan with { Body = nodes }).ShouldContain(f => f.Message.Contains("'kv', which lies in blocks, and reads no table of them"));

        static PlanNode Drop(PlanNode node) =>
            node is Instruction { Label: "attention" } i ? i with { Reads = i.Reads.Where(r => r.Tensor != "kv_blocks").ToArray() } : node;
    }

    [Fact]
    public void Blocks_cost_no_more_than_their_tables()
    {
        // The table of 16,400 bytes is small beside the 16 MB of a layer's cache: paging as such moves no other byte.
        var paged = Planner.Plan(Deploy(Specs.Llama3_70B, 8), Ascend).Steps[0].Report.BasePicoseconds;
        var inOnePiece = Planner.Plan(Deploy(Specs.Llama3_70B, 8) with { KeyValueBlockTokens = 0 }, Ascend).Steps[0].Report.BasePicoseconds;
        ((double)paged / inOnePiece).ShouldBeInRange(1, 1.001);
    }

    private static Device Ascend => DeviceCatalogue.TryGet(Devices.Ascend910B2, out var device) ? device : throw new InvalidOperationException();

    private static DeploymentSpec Deploy(ModelSpec model, int ranks) =>
        Specs.Deploy(model, ranks, Specs.Decode(4, 16_384), prefetch: PrefetchPolicy.Best) with { KeyValueBlockTokens = 16 };

    private static ExecutionPlan Plan(ModelSpec model, int ranks) => Planner.Plan(Deploy(model, ranks), Ascend).Steps[0].Plan;
}
