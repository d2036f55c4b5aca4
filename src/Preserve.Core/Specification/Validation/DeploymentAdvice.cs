using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What is to be known of a deployment that keeps all rules.</summary>
public static class DeploymentAdvice
{
    /// <summary>Looks at a deployment.</summary>
    /// <param name="deployment">The deployment; <see cref="DeploymentRules"/> and <see cref="ModelRules"/> find no fault in it.</param>
    /// <returns>The advice, in the order of the specification; empty where there is none.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="deployment"/> is null.</exception>
    public static EquatableArray<SpecificationAdvice> Of(DeploymentSpec deployment)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        var advice = new List<SpecificationAdvice>();
        var (layer, heads) = deployment.Model.Stack.SelectMany(g => g.Pattern)
            .Select(l => (l.Name, l.Attention is MultiHeadAttentionSpec attention ? attention.KeyValueHeads : int.MaxValue))
            .OrderBy(l => l.Item2).First();
        if (deployment.TensorParallel > heads)
            advice.Add(new ReplicatedHeadsAdvice(deployment.TensorParallel, layer, heads));
        for (var i = 0; i < deployment.Steps.Count; i++)
        {
            var tokens = deployment.Steps[i].LongestSequence;
            if (tokens > deployment.Model.MaxPositions)
                advice.Add(new BeyondPositionsAdvice(StepPlace.OfLength(i, deployment.Steps[i]), tokens, deployment.Model.MaxPositions));
        }
        return advice.ToArray();
    }
}
