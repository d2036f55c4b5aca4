using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class SplitCurveTests
{
    /// <summary>Both forms, and half the way between.</summary>
    public static TheoryData<int> Quarters { get; } = [0, 2, 4];

    [Theory]
    [MemberData(nameof(Quarters))]
    public void A_plan_with_a_step_for_each_tile_has_the_solution_at_every_context(int quarters)
    {
        Prop.ForAll(Arb.From(Cases()), c =>
        {
            var curve = new SplitCurve(c.Problem, ActivationTransfer.Whole);
            var steps = curve.StepsOf(quarters, c.First, c.Last, most: c.Problem.Prompt + 1);
            for (var context = c.First; context <= c.Last; context++)
                steps.At(context).ShouldBe(curve.TokensAt(context, quarters));
        }).Check(RandomDeployments.Runs(300));
    }

    [Fact]
    public void What_the_steps_of_a_plan_lose_is_bounded()
    {
        var worst = 0.0;
        Prop.ForAll(Arb.From(LongCases()), c =>
        {
            var solver = new KvSplitSolver(c.Problem);
            var curve = new SplitCurve(c.Problem, ActivationTransfer.Whole);
            foreach (var (form, quarters) in new[] { (KvSplitForm.Sequential, 0), (KvSplitForm.Pipelined, 4) })
            {
                var steps = curve.StepsOf(quarters, c.First, c.Last, SplitCurve.MostSteps);
                steps.Pieces.Count.ShouldBeLessThanOrEqualTo(SplitCurve.MostSteps);
                for (var i = 0; i <= 64; i++)
                {
                    var context = c.First + ((c.Last - c.First) * i / 64);
                    var best = solver.Solve(form, ActivationTransfer.Whole, context).Seconds;
                    worst = Math.Max(worst, ((solver.Seconds(form, ActivationTransfer.Whole, context, (int)steps.At(context)) / best) - 1).ToDouble());
                }
            }
        }).Check(RandomDeployments.Runs(200));
        worst.ShouldBeLessThanOrEqualTo(0.06);
    }

    [Fact]
    public void The_last_step_of_a_split_that_the_prompt_caps_is_all_of_the_prompt()
    {
        var capped = 0;
        Prop.ForAll(Arb.From(LongCases()), c =>
        {
            var curve = new SplitCurve(c.Problem, ActivationTransfer.Whole);
            foreach (var quarters in new[] { 0, 2, 4 })
            {
                if (curve.TokensAt(c.Last, quarters) < c.Problem.Prompt)
                    continue;
                capped++;
                curve.StepsOf(quarters, c.First, c.Last, SplitCurve.MostSteps).At(c.Last).ShouldBe(c.Problem.Prompt);
            }
        }).Check(RandomDeployments.Runs(100));
        capped.ShouldBeGreaterThan(30);
    }

    private static Gen<(KvSplitProblem Problem, int First, int Last)> Cases() =>
        from problem in KvSplits.Random(neverFalls: true)
        from more in Gen.Choose(0, 80)
        select (problem with { OtherSecondsPerToken = 0 }, problem.Prompt, problem.Prompt + more);

    /// <summary>Multi-head attention, from slow processors behind fast links to fast ones behind slow links, over generations up to five times the prompt.</summary>
    private static Gen<(KvSplitProblem Problem, int First, int Last)> LongCases() =>
        from hidden in Gen.Elements(2048, 4096, 5120, 7168)
        from batch in Gen.Elements(1, 16, 64)
        from gigabytesPerSecond in Gen.Elements(8, 16, 32, 64, 200)
        from prompt in Gen.Choose(128, 2000)
        from more in Gen.Choose(1, 400)
        let problem = KvSplits.MultiHead(hidden, batch, prompt, gigabytesPerSecond)
        select (problem, prompt, prompt + (prompt * more / 100));
}
