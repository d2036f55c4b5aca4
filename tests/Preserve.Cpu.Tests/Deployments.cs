using Preserve.Optimizer;

namespace Preserve.Cpu.Tests;

/// <summary>Deployments of small models, and their plans by any rule and any split: those that do not pay on any device too.</summary>
internal static class Deployments
{
    public static Device Device { get; } = DeviceCatalogue.TryGet(Devices.Ascend910B2, out var device) ? device : throw new InvalidOperationException("no such device");

    public static DeploymentSpec Of(ModelSpec model, int ranks, Precision weights = Precision.Bf16, Precision keyValues = Precision.Bf16) => new(
        model, Device.Id, ranks, weights, Precision.Bf16, keyValues, PrefetchPolicy.None, SeparateProjections: false, Array.Empty<StepSpec>());

    /// <summary>A proved plan.</summary>
    public static ExecutionPlan Plan(DeploymentSpec deployment, StepSpec step, CacheSplit? split = null)
    {
        if (deployment.Offload.BatchesPerLayer > 1)
            deployment = deployment with { Prefetch = PrefetchPolicy.None };
        // Of a layer serving several batches, and where the policy searches, the planner's own way.
        var plan = deployment.Prefetch == PrefetchPolicy.Best
            ? Planner.DraftPrefetched(deployment, step, CostLaws.For(Device), split ?? CacheSplit.None, default).Plan
            : PlanEmission.Emit(
                StepPlanner.Plan(deployment, step, StepPlanner.RuleOf(deployment.Prefetch, Device.PrefetchRoomBytes), split ?? CacheSplit.None), deployment, Device.PrefetchRoomBytes);
        PlanVerifier.Verify(plan).ShouldBeEmpty();
        return plan;
    }

    /// <summary>A split that recomputes as many tokens in each kind of layer that keeps its prompt.</summary>
    public static CacheSplit Recompute(DeploymentSpec deployment, int context, Amount tokens, bool gathered = false, bool ahead = true)
    {
        var kinds = ModelLowering.NameKinds(deployment.Model)
            .Where(k => Optimizer.KvSplitProblem.KeepsPrompt(k.Key, context))
            .ToDictionary(k => k.Value, _ => tokens);
        return new CacheSplit(null, kinds) { Activations = gathered ? ActivationTransfer.Gathered : ActivationTransfer.Whole, Ahead = ahead };
    }

    /// <summary>Logits of every step of a generation that is given its tokens.</summary>
    /// <param name="backend">Computes.</param>
    /// <param name="prefill">The plan of the prefill.</param>
    /// <param name="decode">The plan of the decode steps.</param>
    /// <param name="tokens">Tokens of each sequence of each batch: prompts, then one for each decode step.</param>
    public static async Task<float[][]> LogitsAsync(CpuBackend backend, ExecutionPlan prefill, ExecutionPlan decode, int[][] tokens)
    {
        var executor = new Executor(backend);
        var prompt = prefill.Step.NewTokens;
        var logits = new List<float[]>();
        for (var end = prompt; end <= tokens[0].Length; end++)
        {
            backend.SetTokens([.. tokens.SelectMany(t => t[(end == prompt ? 0 : end - 1)..end])]);
            await executor.RunAsync(end == prompt ? prefill : decode, end == prompt ? 0 : end - 1);
            logits.Add(backend.Logits());
        }
        return [.. logits];
    }

    /// <summary>Random tokens of so many sequences.</summary>
    public static int[][] Tokens(ModelSpec model, int sequences, int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, sequences).Select(_ => Enumerable.Range(0, length).Select(_ => random.Next(model.Vocabulary)).ToArray())];
    }
}
