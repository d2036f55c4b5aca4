using System.Globalization;

namespace Preserve.Optimizer;

/// <summary>What keeps every prefetch away from a step before any gain is weighed, whatever the device.</summary>
/// <param name="Option">The property of the deployment that asks for prefetches that cannot be, or for none.</param>
/// <param name="Reason">A sentence without its end.</param>
internal sealed record PrefetchHindrance(string Option, string Reason)
{
    /// <summary>What of the deployment leaves a step nothing that could be prefetched.</summary>
    /// <param name="step">The step.</param>
    /// <param name="deployment">The deployment as it was declared.</param>
    /// <returns>The hindrance; null where something could be.</returns>
    public static PrefetchHindrance? Of(StepSpec step, DeploymentSpec deployment)
    {
        if (deployment.Prefetch == PrefetchPolicy.None)
            return OfPolicy("the policy prefetches nothing");
        // The planner takes the policy back.
        if (deployment.Offload.BatchesPerLayer > 1)
            return OfPolicy($"where layers serve several batches, here {deployment.Offload.BatchesPerLayer.ToString(CultureInfo.InvariantCulture)}, the planner prefetches nothing");
        if (deployment.Prefetch == PrefetchPolicy.Paper && deployment.TensorParallel == 1)
            return OfPolicy("the policy prefetches under collectives, and one rank has none");
        // Of the layers' matrices the head stays on the device, so that of weights there always is one.
        if (deployment.PrefetchTargets != PrefetchTargets.KeyValues)
            return null;
        return deployment.Offload.KeyValues == Home.Host ? OfTargets("that is in host memory")
            : step is PrefillSpec ? OfTargets("a prefill reads none from before it")
            : null;
    }

    private static PrefetchHindrance OfPolicy(string reason) => new(nameof(DeploymentSpec.Prefetch), reason);

    private static PrefetchHindrance OfTargets(string why) => new(nameof(DeploymentSpec.PrefetchTargets), $"the deployment lets the KV-cache alone be prefetched, and {why}");
}
