using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class KvSplitTableTests
{
    [Fact]
    public void The_table_is_the_solution_at_every_length()
    {
        var (tables, rising) = (0, 0);
        Prop.ForAll(Arb.From(Cases(neverFalls: false)), c =>
        {
            var solver = new KvSplitSolver(c.Problem);
            var table = solver.Table(c.Form, c.First, c.Last);
            Rational total = 0;
            var most = 0;
            for (var cached = c.First; cached <= c.Last; cached++)
            {
                var choice = solver.Solve(c.Form, table.Activations, cached);
                table.TokensAt(cached).ShouldBe(choice.Tokens);
                most = Math.Max(most, choice.Tokens);
                total += choice.Seconds;
            }
            table.Seconds.ShouldBe(total);
            table.MostTokens.ShouldBe(most);
            table.IsZero.ShouldBe(most == 0);
            tables++;
            rising += table.Pieces.Any(p => p.Rise > 0) ? 1 : 0;
            return true;
        }).Check(RandomDeployments.Runs(500));
        rising.ShouldBeGreaterThan(tables / 10);
    }

    [Fact]
    public void The_split_never_shrinks_as_the_cache_grows()
    {
        Prop.ForAll(Arb.From(Cases(neverFalls: true)), c =>
        {
            // Pipelined, the attention's time of a token is below that of its transfer, as on every device with memory faster than its link.
            var slowest = c.Problem.Sizes(ActivationTransfer.Whole).KeyValueBytesOfRank / c.Problem.RankBytesPerSecond;
            var solver = new KvSplitSolver(c.Problem with { OtherSecondsPerToken = Rational.Min(c.Problem.OtherSecondsPerToken, slowest) });
            var table = solver.Table(c.Form, c.First, c.Last);
            for (var cached = c.First + 1; cached <= c.Last; cached++)
                table.TokensAt(cached).ShouldBeGreaterThanOrEqualTo(table.TokensAt(cached - 1));
            return true;
        }).Check(RandomDeployments.Runs(500));
    }

    [Fact]
    public void Of_both_ways_to_bring_activations_the_table_has_the_faster_over_its_range()
    {
        var gathered = 0;
        Prop.ForAll(Arb.From(Cases(neverFalls: false).Where(c => c.Problem.Gather is not null)), c =>
        {
            var solver = new KvSplitSolver(c.Problem);
            var whole = solver.Table(c.Form, ActivationTransfer.Whole, c.First, c.Last);
            var parts = solver.Table(c.Form, ActivationTransfer.Gathered, c.First, c.Last);
            solver.Table(c.Form, c.First, c.Last).ShouldBe(parts.Seconds < whole.Seconds ? parts : whole);
            gathered += parts.Seconds < whole.Seconds ? 1 : 0;
            return true;
        }).Check(RandomDeployments.Runs(200));
        gathered.ShouldBeGreaterThan(10);
    }

    [Theory]
    [InlineData(KvSplitForm.Published, 1)]
    [InlineData(KvSplitForm.Sequential, 1)]
    [InlineData(KvSplitForm.Sequential, 64)]
    [InlineData(KvSplitForm.Pipelined, 64)]
    public void A_long_range_has_few_pieces(KvSplitForm form, int tile)
    {
        var problem = KvSplits.MultiHead(5120, prompt: 16_384) with { Tile = tile, TransferSeconds = new Rational(10, 1_000_000) };
        var solver = new KvSplitSolver(problem);
        var table = solver.Table(form, 1, 32_768);
        // No l, the growing one, the prompt: where the growing one begins at 0 it is one with the first.
        table.Pieces.Count.ShouldBeInRange(2, 3);
        table.TokensAt(32_768).ShouldBe(16_384);
        foreach (var cached in new[] { 1, 63, 64, 65, 129, 1024, 1025, 10_000, 24_987, 24_988, 32_768 })
            table.TokensAt(cached).ShouldBe(solver.Solve(form, cached).Tokens);
    }

    [Fact]
    public void The_text_says_the_split_as_a_function()
    {
        var table = new KvSplitSolver(KvSplits.MultiHead(5120, prompt: 512) with { Tile = 64 }).Table(KvSplitForm.Sequential, 512, 1024);
        table.ToString().ShouldBe("{64*((2c+62)/195); c>=847: 512}");
        var irregular = new KvSplitSolver(KvSplits.MultiHead(5120, prompt: 500) with { Tile = 64 }).Table(KvSplitForm.Sequential, 500, 1024);
        irregular.ToString().ShouldBe("{64*((c+34)/98); c>=737: 500}");
        (irregular with { First = 64, Last = 540, Pieces = new[] { new KvSplitPiece(64, 1, 64, 0) } }).ToString().ShouldBe("min(64*((c)/64), 500)");
    }

    [Fact]
    public void A_digital_line_gives_its_points_in_numbers_no_larger_than_they_are_many() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, 60)), Arb.From(Gen.Choose(1, 60)), Arb.From(Gen.Choose(-200, 200)), (rise, run, offset) =>
        {
            if (rise > run)
                return true;
            var values = Enumerable.Range(5, 90).Select(x => (int)Math.Floor(((rise * x) + offset) / (double)run)).ToArray();
            var pieces = DigitalLine.Cover(5, values);
            pieces.Count.ShouldBe(1);
            for (var i = 0; i < values.Length; i++)
                pieces[0].TilesAt(5 + i).ShouldBe(values[i]);
            pieces[0].Run.ShouldBeLessThanOrEqualTo(run);
            return true;
        }).Check(RandomDeployments.Runs(1000));

    private static Gen<(KvSplitProblem Problem, KvSplitForm Form, int First, int Last)> Cases(bool neverFalls) =>
        from problem in KvSplits.Random(neverFalls)
        from form in Gen.Elements(KvSplitForm.Sequential, KvSplitForm.Pipelined)
        from first in Gen.Choose(0, 80)
        from length in Gen.Choose(0, 80)
        select (problem, form, first, first + length);
}
