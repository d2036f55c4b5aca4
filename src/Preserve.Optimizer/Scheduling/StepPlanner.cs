using System;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Plans one step: lowers as many repeats of each run of layers as it takes until they are alike, and runs the passes.</summary>
internal static class StepPlanner
{
    /// <summary>Repeats lowered at first: one that enters, two alike, and one that leaves.</summary>
    private const int FirstRepeats = 4;

    /// <summary>Plans a step.</summary>
    /// <param name="deployment">The deployment; accepted by its rules.</param>
    /// <param name="step">One of its steps.</param>
    /// <param name="roomBytes">Bytes that may be prefetched and not yet read; 0 where the L2 is unknown.</param>
    /// <returns>The finished graph.</returns>
    public static Graph Plan(DeploymentSpec deployment, StepSpec step, long roomBytes)
    {
        var pipeline = PipelineOf(deployment, roomBytes);
        for (var repeats = FirstRepeats; ; repeats = checked(repeats * 2))
        {
            var graph = ModelLowering.Lower(deployment, step, repeats);
            pipeline.Run(graph);
            if (graph.Folds.Count > 0 || graph.Runs.All(r => r.OmittedLayers == 0))
                return graph;
        }
    }

    /// <summary>The policy that is followed: until sizes are searched for, the best there is is the published one.</summary>
    /// <param name="deployment">The deployment.</param>
    public static PrefetchPolicy PolicyOf(DeploymentSpec deployment) =>
        deployment.Prefetch == PrefetchPolicy.Best ? PrefetchPolicy.Paper : deployment.Prefetch;

    /// <summary>Plans a step layer by layer, without rolling: what a rolled plan must unroll to.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="step">One of its steps.</param>
    /// <param name="roomBytes">Bytes that may be prefetched and not yet read.</param>
    public static Graph PlanUnrolled(DeploymentSpec deployment, StepSpec step, long roomBytes)
    {
        var graph = ModelLowering.Lower(deployment, step, int.MaxValue);
        (PipelineOf(deployment, roomBytes) with { Roll = false }).Run(graph);
        return graph;
    }

    private static PassPipeline PipelineOf(DeploymentSpec deployment, long roomBytes) => new(deployment.TensorParallel, PolicyOf(deployment), roomBytes)
    {
        SequenceParallel = deployment.SequenceParallel,
        Fusion = deployment.CollectiveFusion,
    };
}
