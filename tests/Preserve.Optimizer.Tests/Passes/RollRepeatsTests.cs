using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class RollRepeatsTests
{
    [Fact]
    public void A_rolled_plan_unrolls_to_exactly_the_plan_made_without_rolling() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        var rule = Specs.RuleOf(deployment, new Random(deployment.Model.Vocabulary));
        var rolled = Specs.Plan(deployment, rule);
        var unrolled = Specs.PlanUnrolled(deployment, rule);
        PlanText.Write(rolled.Unroll()).ShouldBe(PlanText.Write(unrolled));
        rolled.Unroll().ShouldBe(unrolled);
        return true;
    }).Check(RandomDeployments.Runs(150));

    [Fact]
    public void The_size_of_a_plan_does_not_grow_with_the_depth_of_the_stack()
    {
        var shallow = PlanText.Write(Specs.Plan(Depth(80)));
        var deep = PlanText.Write(Specs.Plan(Depth(800)));
        Math.Abs(deep.Length - shallow.Length).ShouldBeLessThan(shallow.Length / 20);
        shallow.Split('\n').Length.ShouldBe(deep.Split('\n').Length);

        static DeploymentSpec Depth(int layers) => Specs.Deploy(
            Specs.Llama3_70B with { Stack = new[] { Specs.Llama3_70B.Stack[0] with { Repeat = layers } } }, 8, Specs.Decode(4, 16_384));
    }

    [Fact]
    public void All_but_the_last_layer_are_one_body_because_the_last_prefetches_the_head()
    {
        var repeat = Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384))).Body.OfType<Repeat>().ShouldHaveSingleItem();
        (repeat.Count, repeat.FirstLayer, repeat.Stride).ShouldBe((79, 0, 1));
    }

    [Fact]
    public void Alternating_layers_are_a_body_of_two()
    {
        var repeat = Specs.Plan(Specs.Deploy(Specs.Gemma2_27B, 4, Specs.Decode(4, 8192))).Body.OfType<Repeat>().ShouldHaveSingleItem();
        (repeat.Count, repeat.FirstLayer, repeat.Stride).ShouldBe((22, 0, 2));
    }

    [Fact]
    public void Each_run_of_one_kind_is_a_body_of_its_own_and_the_layer_that_enters_the_next_run_stands_alone()
    {
        var repeats = Specs.Plan(Specs.Deploy(Specs.TwoKinds, 8, Specs.Decode(4, 8192))).Body.OfType<Repeat>().ToList();
        repeats.Select(r => (r.Count, r.FirstLayer)).ShouldBe([(2, 0), (57, 3)]);
    }

    [Fact]
    public void Without_collectives_all_layers_are_alike()
    {
        var repeat = Specs.Plan(Specs.Deploy(Specs.Llama3_8B, 1, Specs.Decode(1, 1024))).Body.OfType<Repeat>().ShouldHaveSingleItem();
        repeat.Count.ShouldBe(32);
    }
}
