using System.Globalization;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What keeps every prefetch away from a step before any gain is weighed.</summary>
internal static class PrefetchHindrance
{
    /// <summary>What of the deployment leaves a planned step nothing that could be prefetched.</summary>
    /// <param name="planned">The step.</param>
    /// <param name="deployment">The deployment as it was declared.</param>
    /// <returns>The reason, a sentence without its end; null where something could be.</returns>
    public static string? Of(PlannedStep planned, DeploymentSpec deployment)
    {
        var plan = planned.Plan;
        if (plan.Policy == PrefetchPolicy.None)
        {
            // The planner takes the policy back where layers serve several batches.
            return deployment.Prefetch == PrefetchPolicy.None
                ? "the policy prefetches nothing"
                : $"nothing is prefetched into the L2 where layers serve several batches, here {deployment.Offload.BatchesPerLayer.ToString(CultureInfo.InvariantCulture)}";
        }
        if (planned.Report.Windows.Any(w => w.Candidates.Any(c => c.Verdict != Verdict.NotAsked)))
            return null;
        if (plan.Policy == PrefetchPolicy.Paper && deployment.TensorParallel == 1)
            return "the policy prefetches under collectives, and one rank has none";
        // Of the layers' matrices the head stays on the device, so that of weights there always is one.
        if (deployment.PrefetchTargets != PrefetchTargets.KeyValues)
            return null;
        const string alone = "the deployment lets the KV-cache alone be prefetched, and ";
        return deployment.Offload.KeyValues == Home.Host ? alone + "that is in host memory"
            : plan.Step is PrefillSpec ? alone + "a prefill reads none from before it"
            : null;
    }
}
