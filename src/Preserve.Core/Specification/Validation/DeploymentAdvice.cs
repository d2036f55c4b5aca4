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
            // Of a context that all sequences share, no sequence's own length is known.
            var step = deployment.Steps[i];
            if (!step.ContextIsTotal && (long)step.MaxContext + step.NewTokens is var tokens && tokens > deployment.Model.MaxPositions)
                advice.Add(new BeyondPositionsAdvice(new StepPlace(i, step is DecodeSpec ? nameof(DecodeSpec.Context) : nameof(PrefillSpec.Tokens)), tokens, deployment.Model.MaxPositions));
        }
        return advice.ToArray();
    }
}
