using System;
using System.Threading.Tasks;

namespace Preserve.Generators;

/// <summary>A deployment whose planning has begun on another thread. Equal to another where the deployments are, since all of the planning follows from them.</summary>
/// <remarks>The compiler goes through the deployments one by one at every step, on one thread. All are begun at one step and awaited at the next, so that as many are
/// planned at once as there are processors.</remarks>
/// <param name="deployment">The deployment.</param>
/// <param name="planning">What plans it. Whoever awaits it before it has started runs it.</param>
internal sealed class BegunDeployment(ResolvedDeployment deployment, Task<PlanningResult> planning) : IEquatable<BegunDeployment>
{
    /// <summary>The deployment.</summary>
    public ResolvedDeployment Deployment => deployment;

    /// <summary>Waits for what the optimizer made of it.</summary>
    /// <returns>The plans, or why there are none.</returns>
    /// <exception cref="OperationCanceledException">The compiler asked for no more.</exception>
    public PlanningResult Await() => planning.GetAwaiter().GetResult();

    /// <inheritdoc/>
    public bool Equals(BegunDeployment? other) => other is not null && deployment.Equals(other.Deployment);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BegunDeployment);

    /// <inheritdoc/>
    public override int GetHashCode() => deployment.GetHashCode();
}
