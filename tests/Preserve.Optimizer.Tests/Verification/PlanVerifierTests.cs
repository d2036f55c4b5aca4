using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class PlanVerifierTests
{
    [Fact]
    public void Every_plan_of_the_planner_is_proved_rolled_and_unrolled() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        var plan = Specs.Plan(deployment, Specs.RuleOf(deployment, new Random(deployment.Model.Vocabulary)));
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

    [Theory]
    [InlineData("qkv", "by 8192 x 1280,", "by 8192 x 128,", "'qkv_weight' has 10485760")]
    [InlineData("qkv", "matmul 4 x 8192 by", "matmul 1 x 8192 by", "takes 8192 elements, and is given 32768")]
    [InlineData("qkv", "int8 by int8", "bf16 by int8", "and a matmul above in Bf16")]
    [InlineData("qkv", "int8 by int8", "int8 by fp8", "multiplies with a weight in Fp8, and 'qkv_weight' is in Int8")]
    [InlineData("attention", "8 query and", "4 query and", "makes 2048 elements, and what it writes has 4096")]
    [InlineData("attention", "1 KV heads of 128", "2 KV heads of 128", "'kv' has 1024")]
    [InlineData("attention", "4c+4 pairs", "4c pairs", "query-key pairs")]
    [InlineData("attn_norm", "rms norm 4 x 8192", "rms norm 4 x 81", "'attn_norm_weight' has 16384")]
    [InlineData("attn_norm", "rms norm", "layer norm", "'attn_norm_weight' has 16384")]
    [InlineData("store", "store 4 x 256", "store 4 x 2", "stores 4 x 2 elements")]
    [InlineData("rotary", "rotary 4 x 1152", "rotary 8 x 576", "has 8 rows, and the step 4")]
    [InlineData("activation", "swiglu", "gelu", "takes 14336 elements, and is given 28672")]
    [InlineData("embed", "embed 4 x 8192", "embed 4 x 4096", "makes 16384 elements")]
    public void A_shape_that_is_not_that_of_what_is_read_and_written_is_refused(string label, string part, string damaged, string message)
    {
        var lines = PlanText.Write(Specs.Plan(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 4096)))).Split('\n');
        var line = Array.FindIndex(lines, l => System.Text.RegularExpressions.Regex.IsMatch(l, $@"^ *compute +{label} ") && l.Contains(part, StringComparison.Ordinal));
        lines[line] = lines[line].Replace(part, damaged, StringComparison.Ordinal);
        var fault = PlanVerifier.Verify(PlanText.ReadPlan(string.Join('\n', lines)))[0];
        fault.Kind.ShouldBe(PlanFaultKind.Shape);
        fault.Message.ShouldContain(message);
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
