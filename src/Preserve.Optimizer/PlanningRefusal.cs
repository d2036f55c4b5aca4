using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Why a deployment that the rules of the declaration accept is not planned: the optimizer has no passes for it yet.</summary>
/// <param name="Option">The property of the deployment that asks for it.</param>
/// <param name="Reason">What is missing, in a few words.</param>
public sealed record PlanningRefusal(string Option, string Reason)
{
    /// <summary>Most batches that a layer may serve: each stands in the body of a plan by itself, and what planning takes grows with them.</summary>
    internal const int MostBatches = 32;

    /// <summary>The refusal of a deployment, or null where it is planned.</summary>
    /// <param name="deployment">The deployment, accepted by the rules of the declaration.</param>
    public static PlanningRefusal? Of(DeploymentSpec deployment) => All(deployment) is [var first, ..] ? first : null;

    /// <summary>Every refusal of a deployment; none where it is planned.</summary>
    /// <param name="deployment">The deployment, of which other options may be at fault.</param>
    /// <exception cref="ArgumentNullException"><paramref name="deployment"/> is null.</exception>
    public static IReadOnlyList<PlanningRefusal> All(DeploymentSpec deployment)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        var refusals = new List<PlanningRefusal>();
        var offload = deployment.Offload;
        if (offload.KeyValues == Home.Host && deployment.KeyValueBlockTokens > 0)
            refusals.Add(new(nameof(DeploymentAttribute.KeyValueBlockTokens), "a paged KV-cache in the host's memory is not planned for, only one in one piece"));
        if (offload.BatchesPerLayer > MostBatches)
            refusals.Add(new(nameof(DeploymentAttribute.BatchesPerLayer), $"layers that serve {offload.BatchesPerLayer} batches are not planned for, only up to {MostBatches}"));
        return refusals;
    }
}
