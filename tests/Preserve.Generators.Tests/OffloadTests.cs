namespace Preserve.Generators.Tests;

/// <summary>What a declaration says of the host's memory reaches the specification.</summary>
public class OffloadTests
{
    [Fact]
    public void Nothing_lives_there_unless_it_is_said() => Read("TensorParallel = 2").Offload.ShouldBe(OffloadSpec.None);

    [Theory]
    [InlineData("KeyValueHome = Home.Host", Home.Host, Home.Device, Objective.Latency, 1, Precision.Bf16, RecomputePolicy.Best)]
    [InlineData("KeyValueHome = Home.Host, StoredActivations = Precision.Int8", Home.Host, Home.Device, Objective.Latency, 1, Precision.Int8, RecomputePolicy.Best)]
    [InlineData("KeyValueHome = Home.Host, Recompute = RecomputePolicy.None", Home.Host, Home.Device, Objective.Latency, 1, Precision.Bf16, RecomputePolicy.None)]
    [InlineData("WeightHome = Home.Host", Home.Device, Home.Host, Objective.Latency, 1, Precision.Bf16, RecomputePolicy.Best)]
    [InlineData("KeyValueHome = Home.Host, WeightHome = Home.Host, Objective = Objective.Throughput, BatchesPerLayer = 8", Home.Host, Home.Host, Objective.Throughput, 8, Precision.Bf16, RecomputePolicy.Best)]
    public void What_is_declared_is_specified(
        string arguments, Home keyValues, Home weights, Objective objective, int batchesPerLayer, Precision stored, RecomputePolicy recompute) =>
        Read(arguments).Offload.ShouldBe(new OffloadSpec(keyValues, weights, objective, batchesPerLayer, stored, recompute));

    [Fact]
    public void A_generation_is_a_prefill_and_the_decode_steps_after_it()
    {
        // Of 32 tokens the prefill gives the first; the last of the 31 steps after it reads 128 + 30 tokens.
        Read("", "Generation(Batch = 64, Prompt = 128, Tokens = 32)").Steps.ShouldBe(
            new StepSpec[] { new PrefillSpec(64, 128), new DecodeSpec(64, 158, Total: false, Prompt: 128) });
        // One prefill serves two lengths.
        Read("", "Generation(Batch = 64, Prompt = 128, Tokens = 32), Generation(Batch = 64, Prompt = 128, Tokens = 128)").Steps.ShouldBe(
            new StepSpec[] { new PrefillSpec(64, 128), new DecodeSpec(64, 158, Total: false, Prompt: 128), new DecodeSpec(64, 254, Total: false, Prompt: 128) });
    }

    [Fact]
    public void The_plans_of_a_generation_serve_its_contexts()
    {
        var run = GeneratorRun.Of(Declarations.Small.With("Decode(Batch = 4, Context = 128)", "Generation(Batch = 4, Prompt = 100, Tokens = 8)"));
        var plans = EmittedText.PlansOf(run.Source);
        plans.ForPrefill(batch: 4, tokens: 100).Step.ToString().ShouldBe("prefill batch 4 tokens 100");
        plans.ForDecode(batch: 4, context: 106).Step.ToString().ShouldBe("decode batch 4 context 106 prompt 100");
        plans.ForDecode(batch: 4, context: 100).Step.MinContext.ShouldBe(100);
        Should.Throw<ArgumentException>(() => plans.ForDecode(batch: 4, context: 99)).Message.ShouldContain("decode batch 4 context 106 prompt 100");
        PlanText.Write(plans).ShouldBe(EmittedText.TextOf(run.Source));
    }

    [Fact]
    public void A_cache_on_the_host_is_planned_with_the_reason_for_its_split()
    {
        var source = Declarations.Small
            .With("TensorParallel = 2", "KeyValueHome = Home.Host")
            .With("Decode(Batch = 4, Context = 128)", "Generation(Batch = 4, Prompt = 100, Tokens = 8)");
        var plans = EmittedText.PlansOf(GeneratorRun.Of(source).Source);
        foreach (var step in plans.Steps)
            step.Plan.Tensors.Single(t => t.Role == TensorRole.KeyValues).Memory.ShouldBe(TensorMemory.PinnedHost);
        plans.Steps.Single(s => s.Plan.Step is DecodeSpec).Report.Split.ShouldNotBeNull().Reason.ShouldNotBeEmpty();
    }

    private static DeploymentSpec Read(string arguments, string steps = "Decode(Batch = 4, Context = 128, Prompt = 100)")
    {
        var source = Declarations.Small
            .With(", TensorParallel = 2", arguments.Length == 0 ? "" : ", " + arguments)
            .With("Decode(Batch = 4, Context = 128)", steps);
        var type = TestCompilation.Of(source).GetTypeByMetadataName("App.Deployed").ShouldNotBeNull();
        return DeploymentParser.Parse(type, new FaultCounter()).ShouldNotBeNull().Spec;
    }
}
