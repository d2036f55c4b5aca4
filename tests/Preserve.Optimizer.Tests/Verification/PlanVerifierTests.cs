using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class PlanVerifierTests
{
    [Fact]
    public void Every_plan_of_the_planner_is_proved_rolled_and_unrolled() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        var plan = Specs.Plan(deployment);
        PlanVerifier.Verify(plan).ShouldBeEmpty(PlanText.Write(plan));
        PlanVerifier.Verify(plan.Unroll()).ShouldBeEmpty();
        return true;
    }).Check(RandomDeployments.Runs(100));

    [Fact]
    public void The_proof_of_800_layers_takes_as_many_steps_as_that_of_80()
    {
        PlanVerifier.CountSteps(Depth(800)).ShouldBe(PlanVerifier.CountSteps(Depth(80)));

        static ExecutionPlan Depth(int layers) => Specs.Plan(Specs.Deploy(
            Specs.Llama3_70B with { Stack = new[] { Specs.Llama3_70B.Stack[0] with { Repeat = layers } } }, 8, Specs.Decode(4, 16_384)));
    }
}
