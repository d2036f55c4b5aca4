using FsCheck;
using FsCheck.Fluent;
using Preserve.Optimizer;

namespace Preserve.Cpu.Tests;

/// <summary>A deployment, a generation, and how its optimized plans are made; the base plans are those of a deployment of the same model, degree and formats
/// that has nothing else: everything on the device and in one piece, every kernel by itself, one batch after the other.</summary>
internal sealed record PlanCase(DeploymentSpec Deployment, int Batch, int Prompt, int Generated, int Recomputed, bool Gathered, bool Ahead)
{
    private StepSpec Decode => new DecodeSpec(Batch, Prompt + Generated - 1, Total: false, Prompt);

    private bool OffloadsCache => Deployment.Offload.KeyValues == Home.Host;

    public (ExecutionPlan Prefill, ExecutionPlan Decode) BasePlans()
    {
        var deployment = Deployments.Of(Deployment.Model, Deployment.TensorParallel, Deployment.Weights, Deployment.KeyValues);
        return (Deployments.Plan(deployment, new PrefillSpec(Batch, Prompt)), Deployments.Plan(deployment, Decode));
    }

    public (ExecutionPlan Prefill, ExecutionPlan Decode) Plans()
    {
        if (!OffloadsCache)
            return (Deployments.Plan(Deployment, new PrefillSpec(Batch, Prompt)), Deployments.Plan(Deployment, Decode));
        var split = Deployments.Recompute(Deployment, Decode.MaxContext, Tokens, Gathered, Ahead);
        // A prefill stores as many as any step recomputes.
        return (Deployments.Plan(Deployment, new PrefillSpec(Batch, Prompt), CacheSplit.Stored([(split, Decode)])), Deployments.Plan(Deployment, Decode, split));
    }

    /// <summary>What the plans have that the base plans have not.</summary>
    public IEnumerable<string> Differences(ExecutionPlan prefill, ExecutionPlan decode)
    {
        var operations = prefill.Instructions().Concat(decode.Instructions()).Select(i => i.Operation).ToList();
        if (operations.OfType<PrefetchOperation>().Any())
            yield return "prefetched";
        if (operations.OfType<RecomputeOperation>().Any())
            yield return Gathered ? "recomputed from gathered activations" : "recomputed from whole activations";
        if (OffloadsCache)
            yield return "cache on the host";
        if (Deployment.Offload.Weights == Home.Host)
            yield return "weights on the host";
        if (Deployment.Offload.BatchesPerLayer > 1)
            yield return "column by column";
        if (Deployment.SequenceParallel)
            yield return "shared tokens";
        if (operations.OfType<CollectiveOperation>().Any(c => c.IsFused))
            yield return $"collectives fused with {Deployment.CollectiveFusion}";
        if (Deployment.SeparateProjections)
            yield return "separate projections";
        if (Deployment.KeyValueBlockTokens > 0)
            yield return "paged";
    }

    /// <summary>Recomputed tokens: of an odd number one more from the second decode step on, as where a plan has several ranges of contexts.</summary>
    private Amount Tokens => Recomputed % 2 == 0 || Gathered || Recomputed == Prompt
        ? Recomputed
        : Amount.WhereNotNegative(Amount.Context - (Prompt + 1), Recomputed + 1, Recomputed);

    public override string ToString() =>
        $"{Deployment.Model}, {Deployment.TensorParallel} ranks, {Deployment.Weights}, {Deployment.KeyValues}, {Deployment.Prefetch}, shared tokens {Deployment.SequenceParallel}, "
        + $"{Deployment.CollectiveFusion}, separate {Deployment.SeparateProjections}, blocks {Deployment.KeyValueBlockTokens}, {Deployment.Offload}, batch {Batch}, prompt {Prompt}, {Recomputed} recomputed, gathered {Gathered}, ahead {Ahead}";
}

/// <summary>Random cases: models x policies x splits x degrees, row by row and column by column.</summary>
internal static class Generators
{
    public static Gen<PlanCase> Case() =>
        from ranks in Gen.Frequency((14, Gen.Constant(1)), (20, Gen.Constant(2)), (4, Gen.Constant(3)), (4, Gen.Constant(4)), (1, Gen.Constant(8)))
        from model in SmallModels.Models(ranks)
        from batch in Gen.Frequency((9, Gen.Choose(1, 2)), (1, Gen.Constant(3)))
        from prompt in Gen.Choose(1, 7)
        from generated in Gen.Choose(1, 3)
        from policy in Gen.Frequency((9, Gen.Constant(PrefetchPolicy.Paper)), (1, Gen.Constant(PrefetchPolicy.Best)))
        from host in Gen.Elements(true, false)
        from hostWeights in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
        from batches in Gen.Frequency((4, Gen.Constant(1)), (1, Gen.Choose(2, 3)))
        from recomputed in Gen.Choose(1, prompt)
        from fp32 in Gen.ArrayOf(Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true))), 2)
        from flags in Gen.ArrayOf(Gen.Elements(true, false), 4)
        from fusion in Gen.Elements(CollectiveFusion.None, CollectiveFusion.Norm, CollectiveFusion.MatMul)
        from blocks in Gen.Elements(0, 1, 3)
        select Of(ranks, model, batch, prompt, generated, policy, host, hostWeights, batches, recomputed, fp32, flags, fusion, blocks);

    private static PlanCase Of(
        int ranks, ModelSpec model, int batch, int prompt, int generated, PrefetchPolicy policy, bool host, bool hostWeights, int batches, int recomputed,
        bool[] fp32, bool[] flags, CollectiveFusion fusion, int blocks)
    {
        var most = prompt + generated - 1;
        var keeps = model.Stack.SelectMany(g => g.Pattern).Any(l => KvSplitProblem.KeepsPrompt(l, most));
        var onHost = (host || ranks == 1) && keeps;
        // Nothing is prefetched where a layer serves several batches.
        var columns = onHost ? batches : 1;
        var deployment = Deployments.Of(model, ranks, fp32[0] ? Precision.Fp32 : Precision.Bf16, fp32[1] ? Precision.Fp32 : Precision.Bf16) with
        {
            Prefetch = columns > 1 ? PrefetchPolicy.None : policy,
            SeparateProjections = flags[0],
            SequenceParallel = flags[1] && ranks > 1 && fusion != CollectiveFusion.Norm && batch * prompt % ranks == 0 && batch % ranks == 0,
            CollectiveFusion = ranks > 1 ? fusion : CollectiveFusion.None,
            KeyValueBlockTokens = onHost ? 0 : blocks,
            Offload = new OffloadSpec(
                onHost ? Home.Host : Home.Device, onHost && hostWeights ? Home.Host : Home.Device, columns > 1 ? Objective.Throughput : Objective.Latency, columns,
                onHost && fp32[1] ? Precision.Fp32 : Precision.Bf16),
        };
        return new PlanCase(deployment, batch, prompt, generated, recomputed, flags[2] && ranks > 1 && model.Hidden % ranks == 0, flags[3] || hostWeights || columns > 1);
    }
}

/// <summary>What the pairs of plans were.</summary>
internal sealed class PairTally
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, int> _kinds = new(StringComparer.Ordinal);

    /// <summary>Pairs that were compared: they differ in at least one instruction.</summary>
    public int Compared { get; private set; }

    /// <summary>Pairs of the same instructions, which prove nothing.</summary>
    public int Alike { get; private set; }

    /// <summary>Compared pairs of a kind.</summary>
    public int Of(string kind) => _kinds.GetValueOrDefault(kind);

    /// <summary>Counts a pair.</summary>
    public void Count(PlanCase c, bool differ, IReadOnlyList<string> differences)
    {
        lock (_gate)
        {
            Alike += differ ? 0 : 1;
            if (!differ)
                return;
            Compared++;
            Add($"{c.Deployment.TensorParallel} ranks");
            Add($"policy {c.Deployment.Prefetch}");
            foreach (var difference in differences)
                Add(difference);
            if (differences is [var only])
                Add($"{only} and nothing else");
        }
    }

    public override string ToString() =>
        $"{Compared} pairs of plans that differ, and {Alike} of the same instructions; of those that differ {string.Join(", ", _kinds.Select(k => $"{k.Value} {k.Key}"))}";

    private void Add(string kind) => _kinds[kind] = _kinds.GetValueOrDefault(kind) + 1;
}
