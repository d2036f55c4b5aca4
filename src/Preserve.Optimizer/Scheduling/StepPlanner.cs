using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Plans one step: lowers as many repeats of each run of layers as it takes until they are alike, and runs the passes.</summary>
internal static class StepPlanner
{
    /// <summary>Repeats lowered at first: two alike, and one that leaves. Where the one that enters is unlike them, twice as many are.</summary>
    private const int FirstRepeats = 3;

    /// <summary>Plans a step.</summary>
    /// <param name="deployment">The deployment; accepted by its rules.</param>
    /// <param name="step">One of its steps.</param>
    /// <param name="rule">What is prefetched.</param>
    /// <param name="split">What is recomputed of a KV-cache in host memory; null for nothing.</param>
    /// <returns>The finished graph.</returns>
    public static Graph Plan(DeploymentSpec deployment, StepSpec step, IPrefetchRule rule, CacheSplit? split = null)
    {
        var pipeline = PipelineOf(deployment, rule, split);
        return Plan(pipeline, repeats =>
        {
            var graph = ModelLowering.Lower(deployment, step, repeats);
            pipeline.RunUntilPrefetch(graph);
            return graph;
        });
    }

    /// <summary>Plans a step by several rules in turn: what they have in common is lowered and sharded once.</summary>
    /// <param name="deployment">The deployment; accepted by its rules.</param>
    /// <param name="step">One of its steps.</param>
    /// <param name="split">What is recomputed of a KV-cache in host memory; null for nothing.</param>
    /// <returns>Plans the step by a rule.</returns>
    public static Func<IPrefetchRule, Graph> Planning(DeploymentSpec deployment, StepSpec step, CacheSplit? split = null)
    {
        var before = new Dictionary<int, Graph>();
        var pipeline = PipelineOf(deployment, PublishedRule.Nothing, split);
        return rule => Plan(pipeline with { Prefetch = rule }, repeats =>
        {
            if (!before.TryGetValue(repeats, out var graph))
            {
                before.Add(repeats, graph = ModelLowering.Lower(deployment, step, repeats));
                pipeline.RunUntilPrefetch(graph);
            }
            return graph.Copy();
        });
    }

    private static Graph Plan(PassPipeline pipeline, Func<int, Graph> untilPrefetch)
    {
        // What is brought for the next layer makes the first repeat unlike the others.
        for (var repeats = pipeline.Offload is null && !pipeline.OffloadsWeights ? FirstRepeats : FirstRepeats + 1; ; repeats = checked(repeats * 2))
        {
            var graph = untilPrefetch(repeats);
            pipeline.RunFromPrefetchOn(graph);
            if (graph.Folds.Count > 0 || graph.Runs.All(r => r.OmittedLayers == 0))
                return graph;
        }
    }

    /// <summary>The rule of a policy that needs no search.</summary>
    /// <param name="policy">The policy; of <see cref="PrefetchPolicy.Best"/> the published part.</param>
    /// <param name="roomBytes">Bytes that may be prefetched and not yet read; 0 where the L2 is unknown.</param>
    public static IPrefetchRule RuleOf(PrefetchPolicy policy, long roomBytes) =>
        policy == PrefetchPolicy.None ? PublishedRule.Nothing : new PublishedRule(roomBytes);

    /// <summary>Plans a step layer by layer, without rolling: what a rolled plan must unroll to.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="step">One of its steps.</param>
    /// <param name="rule">What is prefetched.</param>
    /// <param name="split">What is recomputed of a KV-cache in host memory; null for nothing.</param>
    public static Graph PlanUnrolled(DeploymentSpec deployment, StepSpec step, IPrefetchRule rule, CacheSplit? split = null)
    {
        var graph = ModelLowering.Lower(deployment, step, int.MaxValue);
        (PipelineOf(deployment, rule, split) with { Roll = false }).Run(graph);
        return graph;
    }

    private static PassPipeline PipelineOf(DeploymentSpec deployment, IPrefetchRule rule, CacheSplit? split) => new(deployment.TensorParallel, rule)
    {
        Offload = deployment.Offload.KeyValues == Home.Host ? new OffloadKeyValues(split ?? CacheSplit.None, deployment.Offload) : null,
        OffloadsWeights = deployment.Offload.Weights == Home.Host,
        SequenceParallel = deployment.SequenceParallel,
        Fusion = deployment.CollectiveFusion,
    };
}
