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

    [Theory]
    [InlineData(CollectiveKind.AllReduce)]
    [InlineData(CollectiveKind.AllGather)]
    [InlineData(CollectiveKind.ReduceScatter)]
    public void A_collective_of_another_kind_makes_another_size(CollectiveKind kind)
    {
        var plan = Specs.Plan(Specs.Deploy(Specs.Llama3_8B, 8, Specs.Decode(16, 1024), sequenceParallel: true)).Unroll();
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        foreach (var original in new[] { CollectiveKind.AllGather, CollectiveKind.ReduceScatter }.Where(k => k != kind))
        {
            var at = plan.Body.ToList().FindIndex(n => n is Instruction { Operation: CollectiveOperation c } && c.Kind == original);
            var nodes = plan.Body.ToArray();
            var instruction = (Instruction)nodes[at];
            nodes[at] = instruction with { Operation = (CollectiveOperation)instruction.Operation with { Kind = kind } };
            PlanVerifier.Verify(plan with { Body = nodes }).ShouldContain(f => f.Message.Contains(" bytes, and '", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Layers_that_take_each_others_weights_are_refused()
    {
        var plan = Specs.Plan(Specs.Deploy(Specs.Llama3_8B, 2, Specs.Decode(16, 1024))).Unroll();
        foreach (var label in new[] { "attn_norm", "qkv", "down" })
        {
            var wrong = plan with { Body = plan.Body.Select(n => n is Instruction i && i.Label == label ? i with { Reads = i.Reads.Select(Exchanged).ToArray() } : n).ToArray() };
            wrong.ShouldNotBe(plan);
            PlanVerifier.Verify(wrong).ShouldContain(f => f.Message.Contains("of another layer than what it is applied to", StringComparison.Ordinal));
        }

        // Each weight is still read once.
        static TensorReference Exchanged(TensorReference r) => r.Tensor.EndsWith("_weight", StringComparison.Ordinal) && r.Layer.Value is 2 or 3 ? r with { Layer = LayerIndex.Of(5 - r.Layer.Value) } : r;
    }
}
