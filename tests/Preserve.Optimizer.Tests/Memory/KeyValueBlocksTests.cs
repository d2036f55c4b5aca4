using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class KeyValueBlocksTests
{
    [Fact]
    public void Every_sequence_has_whole_blocks() => Prop.ForAll(
        Arb.From(Gen.Choose(1, 64)), Arb.From(Gen.Choose(1, 5000)), Arb.From(Gen.Elements(1, 16, 100)), (batch, context, block) =>
        {
            var each = (context + 1 + block - 1) / block;
            new KeyValueBlocks(Specs.Decode(batch, context), block).Count(0).ShouldBe((long)batch * each);
            return true;
        }).Check(RandomDeployments.Runs(100));

    [Fact]
    public void Of_mixed_lengths_the_count_is_enough_for_any_and_reached_by_some()
    {
        const int batch = 3, block = 4;
        foreach (var total in Enumerable.Range(batch, 20))
        {
            var most = 0L;
            for (var a = 1; a < total - 1; a++)
            {
                for (var b = 1; a + b < total; b++)
                    most = Math.Max(most, new[] { a, b, total - a - b }.Sum(tokens => (tokens + 1 + block - 1L) / block));
            }
            new KeyValueBlocks(new DecodeSpec(batch, total, Total: true), block).Count(0).ShouldBeInRange(most, most + 1);
        }
    }

    [Fact]
    public void A_window_keeps_the_blocks_that_it_can_lie_in()
    {
        // 9 attended tokens, 8 of them cached: of blocks of 4 they touch 3 wherever they begin, and the new one at most one more beside.
        var most = Enumerable.Range(0, 100).Max(first => ((first + 8) / 4) - (first / 4) + 1);
        new KeyValueBlocks(Specs.Decode(5, 1000), 4).Count(9).ShouldBe(5 * most);
        // A context that does not fill the window has no more blocks than without one.
        new KeyValueBlocks(Specs.Decode(5, 4), 4).Count(9).ShouldBe(5 * 2);
    }

    [Fact]
    public void A_paged_cache_takes_at_most_a_block_a_sequence_more_than_one_in_one_piece() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        var paged = deployment with { KeyValueBlockTokens = 16 };
        var inOnePiece = MemoryFit.Of(deployment with { KeyValueBlockTokens = 0 }, long.MaxValue);
        var inBlocks = MemoryFit.Of(paged, long.MaxValue);
        inBlocks.WeightBytes.ShouldBe(inOnePiece.WeightBytes);
        var tables = StepPlanner.PlanUnrolled(paged, paged.Steps[0], PublishedRule.Nothing).Tensors.Where(t => t.Role == TensorRole.BlockTable).Sum(t => t.Units.At(0));
        var layers = deployment.Model.Stack.Sum(g => g.Repeat * g.Pattern.Count);
        var unit = StepPlanner.PlanUnrolled(paged, paged.Steps[0], PublishedRule.Nothing).Tensors.Where(t => t.Role == TensorRole.KeyValues).Max(t => t.UnitBytes);
        // A window may touch one block more than its tokens fill.
        var most = 2L * 16 * (deployment.Steps[0].ContextIsTotal ? deployment.Steps[0].Batch : 1) * unit * layers;
        (inBlocks.KeyValueBytes - tables - inOnePiece.KeyValueBytes).ShouldBeInRange(0, most);
        return true;
    }).Check(RandomDeployments.Runs(100));
}
