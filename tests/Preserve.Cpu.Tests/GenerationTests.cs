using Preserve.Optimizer;

namespace Preserve.Cpu.Tests;

public class GenerationTests
{
    private const int Prompt = 6;
    private const int Generated = 5;
    private const int Batch = 2;

    private static readonly ModelSpec s_model = SmallModels.Model(32, 50, new LayerGroup(new[] { SmallModels.Layer(keyValueHeads: 4, activation: Activation.Relu) }, 4));

    private static readonly DeploymentSpec s_plain = Deployments.Of(s_model, 1);

    private static readonly DecodeSpec s_decode = new(Batch, Prompt + Generated - 2, Total: false, Prompt);

    /// <summary>What a way of planning is called.</summary>
    public static TheoryData<string> Names { get; } = [.. Variants().Select(v => v.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_plan_generates_the_same_tokens_from_the_same_logits(string name)
    {
        var variant = Variants().Single(v => v.Name == name);
        var batches = variant.Deployment.Offload.BatchesPerLayer;
        var plain = Deployments.Of(s_model, variant.Deployment.TensorParallel);
        var (prefill, decode) = PlansOf(variant.Deployment, variant.Split);
        decode.ShouldNotBe(PlansOf(plain, null).Decode);
        var expected = await Generate(plain, null);
        var actual = await Generate(variant.Deployment, variant.Split);
        actual.Tokens.Length.ShouldBe(Generated);
        for (var i = 0; i < Generated; i++)
            actual.Tokens[i].ShouldBe(Repeated(expected.Tokens[i], batches), name);
        actual.Logits.ShouldHaveTheBitsOf([.. expected.Logits.Select(l => Repeated(l, batches))], () => name);
    }

    [Fact]
    public async Task Tokens_come_one_step_at_a_time_and_a_generation_can_be_stopped()
    {
        var (prefill, decode) = PlansOf(s_plain, null);
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 9));
        using var stop = new CancellationTokenSource();
        var steps = 0;
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in GreedyDecoding.RunAsync(backend, prefill, decode, Prompts(1), Generated, stop.Token))
            {
                if (++steps == 2)
                    stop.Cancel();
            }
        });
        steps.ShouldBe(2);
        // The backend goes on with the next generation.
        var again = new List<int[]>();
        await foreach (var tokens in GreedyDecoding.RunAsync(backend, prefill, decode, Prompts(1), Generated))
            again.Add(tokens);
        again.ToArray().ShouldBe((await Generate(s_plain, null)).Tokens);
    }

    [Fact]
    public void Prompts_of_another_length_than_the_prefill_are_refused_at_the_call()
    {
        var (prefill, decode) = PlansOf(s_plain, null);
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 9));
        var refused = Should.Throw<ArgumentException>(() => { GreedyDecoding.RunAsync(backend, prefill, decode, [1, 2], Generated); });
        refused.Message.ShouldBe("the prompts have 2 tokens, and 'prefill batch 2 tokens 6' of 1 batches has 12 (Parameter 'prompts')");
    }

    [Fact]
    public void A_prompt_beyond_the_vocabulary_is_refused_at_the_call()
    {
        var (prefill, decode) = PlansOf(s_plain, null);
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 9));
        int[] prompts = [.. Prompts(1)[..^1], 50];
        Should.Throw<ArgumentOutOfRangeException>(() => { GreedyDecoding.RunAsync(backend, prefill, decode, prompts, Generated); }).Message
            .ShouldBe("token 11 is 50, and the vocabulary of Small is from 0 to 49 (Parameter 'prompts')");
    }

    /// <summary>The second prefill takes the caches of the first generation, which would go on from another text.</summary>
    [Fact]
    public async Task A_generation_ends_where_another_step_took_its_caches()
    {
        var (prefill, decode) = PlansOf(s_plain, null);
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 9));
        await using var first = GreedyDecoding.RunAsync(backend, prefill, decode, Prompts(1), Generated).GetAsyncEnumerator();
        (await first.MoveNextAsync()).ShouldBeTrue();
        (await first.MoveNextAsync()).ShouldBeTrue();
        var second = new List<int[]>();
        await foreach (var tokens in GreedyDecoding.RunAsync(backend, prefill, decode, Prompts(1), Generated))
            second.Add(tokens);
        (await Should.ThrowAsync<InvalidOperationException>(async () => await first.MoveNextAsync())).Message
            .ShouldBe("another step ran on the backend behind step 2 of this generation, and the caches are no longer its own: a backend generates one text at a time");
        second.ToArray().ShouldBe((await Generate(s_plain, null)).Tokens);
    }

    [Fact]
    public async Task What_a_caller_does_to_its_arrays_changes_no_generation()
    {
        var (prefill, decode) = PlansOf(s_plain, null);
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 9));
        var prompts = Prompts(1);
        var generation = GreedyDecoding.RunAsync(backend, prefill, decode, prompts, Generated);
        Array.Clear(prompts);
        var all = new List<int[]>();
        await foreach (var tokens in generation)
        {
            all.Add([.. tokens]);
            Array.Fill(tokens, -7);
        }
        all.ToArray().ShouldBe((await Generate(s_plain, null)).Tokens);
    }

    [Fact]
    public async Task A_step_that_is_stopped_while_it_is_handed_over_leaves_the_next_one_sound()
    {
        var (prefill, decode) = PlansOf(s_plain, null);
        using var stopped = new CancellationTokenSource();
        using var backend = new CpuBackend(s_model, new WatchedWeights(new SeededWeights(s_model, 9), stopped.Cancel));
        backend.SetTokens(Prompts(1));
        // The weights are read while the step is handed over.
        await Should.ThrowAsync<OperationCanceledException>(async () => await new Executor(backend).RunAsync(prefill, 0, stopped.Token));
        await new Executor(backend).RunAsync(prefill, 0);
        new[] { backend.Logits() }.ShouldHaveTheBitsOf((await Generate(s_plain, null)).Logits[..1], () => "after a stop");
    }

    [Fact]
    public void What_is_not_computed_is_refused_with_the_reason()
    {
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 1));
        var deployment = Deployments.Of(s_model, 1);
        Refusal(Deployments.Plan(deployment with { Weights = Precision.Int8 }, s_decode), 6).ShouldBe("'embedding' is in Int8, and this backend computes bf16 and fp32 (Parameter 'plan')");
        Refusal(Deployments.Plan(deployment with { Activations = Precision.Fp8 }, s_decode), 6).ShouldBe("activations enter 'qkv' in Fp8, and this backend computes bf16 and fp32 (Parameter 'plan')");
        Refusal(Deployments.Plan(deployment, new DecodeSpec(2, 20, Total: true)), 6).ShouldStartWith("'decode batch 2 cached 20' counts the tokens of sequences of mixed lengths together");
        Refusal(Deployments.Plan(deployment, s_decode), 6).ShouldStartWith("'decode batch 2 context 9 prompt 6' of 1 batches has 2 new tokens, and 0 were set");
        Refusal(Deployments.Plan(deployment with { Model = s_model with { Name = "Other" } }, s_decode), 6).ShouldStartWith("the plan is of Other");
        Refusal(Deployments.Plan(deployment, s_decode) with { Batches = 0 }, 6).ShouldBe("the plan is of 0 batches, and this backend computes 1 or more (Parameter 'plan')");
        Refusal(Deployments.Plan(deployment, s_decode) with { Ranks = 0 }, 6).ShouldBe("the plan is of 0 ranks, and this backend computes 1 or more (Parameter 'plan')");
        Should.Throw<ArgumentOutOfRangeException>(() => backend.SetTokens([3, 50])).Message.ShouldBe("token 1 is 50, and the vocabulary of Small is from 0 to 49 (Parameter 'tokens')");
        Should.Throw<ArgumentOutOfRangeException>(() => backend.SetTokens([-1, 50])).Message.ShouldBe("token 0 is -1, and the vocabulary of Small is from 0 to 49 (Parameter 'tokens')");

        string Refusal(ExecutionPlan plan, int context) => Should.Throw<ArgumentException>(() => backend.Begin(plan, context)).Message;
    }

    [Fact]
    public void Options_out_of_their_range_are_refused_by_name()
    {
        Refusal(new CpuOptions { Threads = -3 }).ShouldBe("Threads");
        Refusal(new CpuOptions { LongestDelayMicroseconds = -1 }).ShouldBe("LongestDelayMicroseconds");
        Refusal(Constants(ModelConstants.Default with { NormEpsilon = -1e-5f })).ShouldBe("NormEpsilon");
        Refusal(Constants(ModelConstants.Default with { RotaryBase = 0 })).ShouldBe("RotaryBase");
        Refusal(Constants(ModelConstants.Default with { AttentionSoftCap = 0 })).ShouldBe("AttentionSoftCap");
        Refusal(Constants(ModelConstants.Default with { LogitSoftCap = float.NaN })).ShouldBe("LogitSoftCap");
        Refusal(Constants(ModelConstants.Default with { ScoreFactor = 0 })).ShouldBe("ScoreFactor");
        Refusal(Constants(ModelConstants.Default with { EmbeddingFactor = float.PositiveInfinity })).ShouldBe("EmbeddingFactor");
        Refusal(Constants(ModelConstants.Default with { WindowRotaryBase = -10_000 })).ShouldBe("WindowRotaryBase");

        static CpuOptions Constants(ModelConstants constants) => new() { Constants = constants };

        static string? Refusal(CpuOptions options) =>
            Should.Throw<ArgumentOutOfRangeException>(() => new CpuBackend(s_model, new SeededWeights(s_model, 1), options)).ParamName;
    }

    [Fact]
    public void Weights_that_a_model_has_not_are_refused_by_name()
    {
        var weights = new SeededWeights(s_model, 1);
        Missing(WeightKind.QueryBias, 0).ShouldBe("Small has no QueryBias of layer 0");
        Missing(WeightKind.Query, 4).ShouldBe("Small has no Query of layer 4");
        Missing(WeightKind.Down, -1).ShouldBe("Small has no Down");
        Should.Throw<ArgumentOutOfRangeException>(() => weights.Read(new WeightName(WeightKind.Query, 0), 32, 0, new float[1])).Message.ShouldContain("Query of layer 0 has 32 rows");
        Should.Throw<ArgumentOutOfRangeException>(() => weights.Read(new WeightName(WeightKind.Query, 0), 0, 1, new float[32])).Message.ShouldContain("a row of Query of layer 0 has 32 elements, and 32 are wanted from there on");

        string Missing(WeightKind kind, int layer) => Should.Throw<KeyNotFoundException>(() => weights.Read(new WeightName(kind, layer), 0, 0, new float[1])).Message;
    }

    [Fact]
    public void Weights_of_another_model_are_refused_by_what_differs()
    {
        Refusal(s_model with { Hidden = 64 }).ShouldBe("the weights are those of another model: Embedding is 50 x 64 in the weights, and 50 x 32 in Small (Parameter 'weights')");
        Refusal(s_model with { TiedEmbeddings = true }).ShouldBe("the weights are those of another model: Head is missing in the weights, and 50 x 32 in Small (Parameter 'weights')");
        Refusal(s_model with { HeadBias = true }).ShouldBe("the weights are those of another model: HeadBias is 1 x 50 in the weights, and missing in Small (Parameter 'weights')");
        // One that has the same weights is as good.
        new CpuBackend(s_model, new SeededWeights(s_model with { MaxPositions = 4 }, 1)).Dispose();

        static string Refusal(ModelSpec of) => Should.Throw<ArgumentException>(() => new CpuBackend(s_model, new SeededWeights(of, 1))).Message;
    }

    [Fact]
    public void The_largest_logit_is_a_number()
    {
        GreedyDecoding.Largest([float.NaN, -2, -1, -1, 3, 2, float.NaN, 3], 4).ShouldBe([2, 0]);
        Should.Throw<InvalidOperationException>(() => { GreedyDecoding.Largest([1, 2, float.NaN, float.NaN], 2); }).Message.ShouldBe("no logit of sequence 1 is a number");
    }

    private static (string Name, DeploymentSpec Deployment, CacheSplit? Split)[] Variants()
    {
        var (plain, two) = (s_plain, Deployments.Of(s_model, 2));
        var host = plain with { Offload = new OffloadSpec(KeyValues: Home.Host) };
        var hosts = two with { Offload = host.Offload };
        var columns = host with { Offload = new OffloadSpec(Home.Host, Home.Host, Objective.Throughput, 2) };
        return
        [
            ("paged", plain with { KeyValueBlockTokens = 3 }, null),
            ("separate projections", plain with { SeparateProjections = true }, null),
            ("cache on the host", host, null),
            ("half recomputed", host, Deployments.Recompute(host, s_decode.MaxContext, 3)),
            ("all of the prompt recomputed", host, Deployments.Recompute(host, s_decode.MaxContext, Prompt)),
            ("weights on the host", host with { Offload = new OffloadSpec(Home.Host, Home.Host) }, Deployments.Recompute(host, s_decode.MaxContext, 2)),
            ("column by column", columns, null),
            ("column by column, recomputing", columns, Deployments.Recompute(columns, s_decode.MaxContext, 4)),
            ("two ranks, prefetching", two with { Prefetch = PrefetchPolicy.Paper }, null),
            ("two ranks, fused with norms", two with { CollectiveFusion = CollectiveFusion.Norm, Prefetch = PrefetchPolicy.Paper }, null),
            ("two ranks, fused with matmuls", two with { CollectiveFusion = CollectiveFusion.MatMul, Prefetch = PrefetchPolicy.Paper }, null),
            ("two ranks, shared tokens", two with { SequenceParallel = true }, null),
            ("two ranks, shared tokens, fused with matmuls", two with { SequenceParallel = true, CollectiveFusion = CollectiveFusion.MatMul }, null),
            ("two ranks, half recomputed", hosts, Deployments.Recompute(hosts, s_decode.MaxContext, 3)),
            ("two ranks, half recomputed from gathered activations", hosts, Deployments.Recompute(hosts, s_decode.MaxContext, 3, gathered: true)),
        ];
    }

    private static (ExecutionPlan Prefill, ExecutionPlan Decode) PlansOf(DeploymentSpec deployment, CacheSplit? split) =>
        (Deployments.Plan(deployment, new PrefillSpec(Batch, Prompt), split), Deployments.Plan(deployment, s_decode, split));

    private static async Task<(int[][] Tokens, float[][] Logits)> Generate(DeploymentSpec deployment, CacheSplit? split)
    {
        var (prefill, decode) = PlansOf(deployment, split);
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 9));
        var (tokens, logits) = (new List<int[]>(), new List<float[]>());
        await foreach (var step in GreedyDecoding.RunAsync(backend, prefill, decode, Prompts(deployment.Offload.BatchesPerLayer), Generated))
        {
            tokens.Add(step);
            logits.Add(backend.Logits());
        }
        return ([.. tokens], [.. logits]);
    }

    private static T[] Repeated<T>(T[] values, int times) => [.. Enumerable.Repeat(values, times).SelectMany(v => v)];

    /// <summary>The same prompts in every batch.</summary>
    private static int[] Prompts(int batches) => [.. Enumerable.Repeat(Deployments.Tokens(s_model, Batch, Prompt, 8).SelectMany(t => t), batches).SelectMany(t => t)];
}
