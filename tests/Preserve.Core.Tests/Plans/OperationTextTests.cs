namespace Preserve.Core.Tests;

public class OperationTextTests
{
    public static TheoryData<string, Operation> Collectives => new()
    {
        { "all-reduce 12 bytes over 2", new CollectiveOperation(CollectiveKind.AllReduce, 12, 2) },
        { "reduce-scatter 12 bytes over 2", new CollectiveOperation(CollectiveKind.ReduceScatter, 12, 2) },
        { "all-reduce 12 bytes over 2, layer norm 1 x 6", new CollectiveOperation(CollectiveKind.AllReduce, 12, 2, Norm: new FusedNorm(Norm.Layer, 1, 6, Adds: false)) },
        { "all-reduce 12 bytes over 2, add, rms norm 1 x 6", new CollectiveOperation(CollectiveKind.AllReduce, 12, 2, Norm: new FusedNorm(Norm.Rms, 1, 6, Adds: true)) },
        {
            "reduce-scatter 12 bytes over 2 of matmul 1 x 3 by 3 x 6, fp8 by int4",
            new CollectiveOperation(CollectiveKind.ReduceScatter, 12, 2, new MatMulOperation(1, 6, 3, Precision.Int4, Precision.Fp8))
        },
    };

    [Theory]
    [MemberData(nameof(Collectives))]
    public void A_collective_says_what_shares_its_kernel(string text, Operation operation)
    {
        var plan = PlanOf(operation);
        var written = PlanText.Write(plan);
        written.ShouldContain($"  {text}  ");
        PlanText.ReadPlan(written).ShouldBe(plan);
    }

    [Theory]
    [InlineData("attention 2 x 1 tokens, 4 query and 2 KV heads of 8, 2c+2 pairs", Precision.Bf16, false)]
    [InlineData("attention 2 x 1 tokens, 4 query and 2 KV heads of 8, 2c+2 pairs, soft-cap", Precision.Bf16, true)]
    [InlineData("attention 2 x 1 tokens, 4 query and 2 KV heads of 8, 2c+2 pairs, fp8 cache", Precision.Fp8, false)]
    [InlineData("attention 2 x 1 tokens, 4 query and 2 KV heads of 8, 2c+2 pairs, int4 cache, soft-cap", Precision.Int4, true)]
    public void Attention_says_the_format_of_its_cache(string text, Precision keyValues, bool softCap)
    {
        var plan = PlanOf(new AttentionOperation(2, 1, 4, 2, 8, (Amount.Context * 2) + 2, softCap, keyValues));
        var written = PlanText.Write(plan);
        written.ShouldContain($"  {text}  ");
        PlanText.ReadPlan(written).ShouldBe(plan);
        foreach (var damaged in new[] { "pairs, fp12 cache", "pairs, cache", "pairs, soft-cap, fp8 cache", "pairs, fp8 cache, fp8 cache" })
            Should.Throw<FormatException>(() => PlanText.ReadPlan(written.Replace(text, text[..(text.IndexOf("pairs", StringComparison.Ordinal))] + damaged, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("recompute 2 x c-1 tokens by 8 x 32, 2 KV heads of 8, bf16 by int8", false, false)]
    [InlineData("recompute 2 x c-1 tokens by 8 x 32, 2 KV heads of 8, bf16 by int8, rotary", true, false)]
    [InlineData("recompute 2 x c-1 tokens by 8 x 32, 2 KV heads of 8, bf16 by int8, norm, rotary", true, true)]
    public void A_recomputation_says_what_is_done_to_the_keys(string text, bool rotates, bool normalises)
    {
        var plan = PlanOf(new RecomputeOperation(2, Amount.Context - 1, 2, 8, 8, Precision.Int8, Precision.Bf16, rotates, normalises));
        var written = PlanText.Write(plan);
        written.ShouldContain($"  {text}  ");
        PlanText.ReadPlan(written).ShouldBe(plan);
        foreach (var damaged in new[] { "recompute 2 x c-1 tokens by 8 x 33, 2 KV heads of 8, bf16 by int8", "recompute 2 tokens by 8 x 32, 2 KV heads of 8, bf16 by int8", "recompute 2 x c-1 tokens by 8 x 32, bf16 by int8" })
            Should.Throw<FormatException>(() => PlanText.ReadPlan(written.Replace(text, damaged, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("all-reduce 12 bytes over 2, add")]
    [InlineData("all-reduce 12 bytes over 2, add 1 x 6")]
    [InlineData("all-reduce 12 bytes over 2 of rms norm 1 x 6")]
    [InlineData("all-reduce 12 bytes over 2 of")]
    [InlineData("all-reduce 12 bytes over two")]
    [InlineData("all-scatter 12 bytes over 2")]
    public void What_no_kernel_does_is_refused(string text)
    {
        const string sound = "all-reduce 12 bytes over 2";
        var written = PlanText.Write(PlanOf(new CollectiveOperation(CollectiveKind.AllReduce, 12, 2)));
        Should.Throw<FormatException>(() => PlanText.ReadPlan(written.Replace(sound, text, StringComparison.Ordinal)));
    }

    private static ExecutionPlan PlanOf(Operation operation) => new(
        "Small", "own", 2, 1, new PrefillSpec(1, 4), PrefetchPolicy.None, 0, 0, default,
        new PlanNode[] { new Instruction(StreamKind.Collective, "exchange", operation, default, default, default, false) });
}
