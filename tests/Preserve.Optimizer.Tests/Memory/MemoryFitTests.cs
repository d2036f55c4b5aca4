using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class MemoryFitTests
{
    [Fact]
    public void The_arithmetic_gives_the_bytes_of_the_planned_graph() => Prop.ForAll<DeploymentSpec>(any =>
    {
        // Blocks are rounded up in memory, and not in what a step touches.
        var deployment = any with { KeyValueBlockTokens = 0 };
        var plan = Specs.PlanUnrolled(deployment);
        var tensors = plan.Tensors.ToDictionary(t => t.Name);
        var touched = plan.Instructions().SelectMany(i => i.Reads).Select(r => r with { Range = null }).Distinct().ToList();
        var fit = MemoryFit.Of(deployment, availableBytes: long.MaxValue);
        var context = deployment.Steps[0].MaxContext;
        fit.WeightBytes.ShouldBe(Sum(TensorRole.Weight));
        fit.KeyValueBytes.ShouldBe(Sum(TensorRole.KeyValues));
        fit.ActivationBytes.ShouldBeGreaterThanOrEqualTo(plan.ArenaBytes);
        return true;

        long Sum(TensorRole role) => touched.Where(r => tensors[r.Tensor].Role == role).Sum(r => tensors[r.Tensor].Bytes.At(context));
    }).Check(RandomDeployments.Runs(100));

    [Fact]
    public void The_arena_is_never_larger_than_the_arithmetic_allows() => Prop.ForAll(Arb.From(RandomDeployments.Generator(maxRepeat: 8)), deployment =>
    {
        var plan = Specs.Plan(deployment);
        MemoryFit.Of(deployment, availableBytes: long.MaxValue).ActivationBytes.ShouldBeGreaterThanOrEqualTo(plan.ArenaBytes);
        return true;
    }).Check(RandomDeployments.Runs(500));

    public static TheoryData<int, int, int, int> Prefills => new() { { 8, 1, 16, 8192 }, { 70, 8, 16, 8192 }, { 27, 4, 8, 8192 }, { 13, 2, 4, 2048 } };

    [Theory, MemberData(nameof(Prefills))]
    public void The_arithmetic_is_near_the_arena(int model, int ranks, int batch, int tokens)
    {
        var spec = model switch { 8 => Specs.Llama3_8B, 70 => Specs.Llama3_70B, 27 => Specs.Gemma2_27B, _ => Specs.Opt13B };
        var deployment = Specs.Deploy(spec, ranks, new PrefillSpec(batch, tokens), Precision.Bf16);
        var bound = MemoryFit.Of(deployment, availableBytes: long.MaxValue).ActivationBytes;
        ((double)bound / Specs.Plan(deployment).ArenaBytes).ShouldBeInRange(1.0, 1.35);
    }

    [Fact]
    public void Llama_70B_in_int8_takes_an_eighth_of_its_parameters_on_each_of_8_ranks()
    {
        // 70,553,706,496 parameters; the norms (161 x 8192) are whole and in two bytes on each rank.
        var fit = MemoryFit.Of(Specs.Deploy(Specs.Llama3_70B, 8, Specs.Decode(4, 16_384)), 64_000_000_000);
        const long norms = 161L * 8192;
        fit.WeightBytes.ShouldBe(((70_553_706_496 - norms) / 8) + (2 * norms));
        // 16,385 tokens x 4 sequences x 80 layers x 2 x 128 bytes.
        fit.KeyValueBytes.ShouldBe(16_385L * 4 * 80 * 256);
        fit.Fits.ShouldBeTrue();
    }
}
