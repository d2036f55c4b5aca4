namespace Preserve.Optimizer;

/// <summary>Why a deployment that the rules of the declaration accept is not planned: the optimizer has no passes for it yet.</summary>
/// <param name="Option">The property of the deployment that asks for it.</param>
/// <param name="Reason">What is missing, in a few words.</param>
public sealed record PlanningRefusal(string Option, string Reason)
{
    /// <summary>The refusal of a deployment, or null where it is planned.</summary>
    /// <param name="deployment">The deployment, accepted by the rules of the declaration.</param>
    public static PlanningRefusal? Of(DeploymentSpec deployment)
    {
        if (deployment is null)
            throw new System.ArgumentNullException(nameof(deployment));
        var offload = deployment.Offload;
        if (offload.Objective == Objective.Throughput)
            return new(nameof(DeploymentAttribute.Objective), "layers that serve several batches are not planned for, only one batch after the other");
        if (offload.KeyValues == Home.Host && deployment.KeyValueBlockTokens > 0)
            return new(nameof(DeploymentAttribute.KeyValueBlockTokens), "a paged KV-cache in the host's memory is not planned for, only one in one piece");
        return null;
    }
}
