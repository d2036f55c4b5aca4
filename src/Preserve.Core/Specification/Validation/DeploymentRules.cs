using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What holds of every deployment that can be planned, but for its device and memory.</summary>
public static class DeploymentRules
{
    private static readonly DeploymentPlace Model = new(nameof(DeploymentSpec.Model));
    private static readonly DeploymentPlace Degree = new(nameof(DeploymentSpec.TensorParallel));

    /// <summary>Checks a deployment, without its model: every value, then those together, and with the model, that are sound each.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="modelIsSound">Whether <see cref="ModelRules.Check(ModelSpec)"/> finds no fault in its model; with another no value is looked at together.</param>
    /// <returns>The faults; empty where there are none.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="deployment"/> is null.</exception>
    public static EquatableArray<SpecificationFault> Check(DeploymentSpec deployment, bool modelIsSound) =>
        Check(deployment, modelIsSound ? [] : new SpecificationPlace[] { new DeploymentPlace(nameof(deployment.Model)) });

    /// <summary>Checks a deployment of which a part is known to be at fault: what others are, and do not follow from it.</summary>
    /// <param name="deployment">The deployment. Every value of its own is looked at by itself, so what stands for one that is not known must be in its range.</param>
    /// <param name="unsound">The values that no rule on several may look at, because they are at fault or not known. The model is not checked here: the place of each
    /// fault that <see cref="ModelRules.Check(ModelSpec)"/> finds in it must be among them, or <see cref="DeploymentSpec.Model"/>, for all of it.</param>
    /// <returns>The other faults; empty where there are none.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static EquatableArray<SpecificationFault> Check(DeploymentSpec deployment, IReadOnlyCollection<SpecificationPlace> unsound)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        if (unsound is null)
            throw new ArgumentNullException(nameof(unsound));
        var faults = new FaultList(unsound);
        CheckValues(deployment, faults);
        for (var i = 0; i < deployment.Steps.Count; i++)
            StepRules.CheckValues(deployment.Steps[i], i, faults);

        // A degree that is refused by the model is one all the same.
        var degreeIsKnown = faults.AreSound(Degree);
        if (degreeIsKnown && faults.AreSound(Model))
            CheckDegree(deployment, faults);
        if (deployment.SequenceParallel && deployment.TensorParallel == 1)
            NeedsRanks(nameof(deployment.SequenceParallel), "SequenceParallel is true, but divides tokens over the ranks of a group", faults);
        if (deployment.CollectiveFusion != CollectiveFusion.None && deployment.TensorParallel == 1)
            NeedsRanks(nameof(deployment.CollectiveFusion), $"CollectiveFusion is CollectiveFusion.{deployment.CollectiveFusion}, but one rank alone has no collectives to fuse kernels with", faults);
        OffloadRules.CheckTogether(deployment, faults);
        StepRules.CheckTogether(deployment, degreeIsKnown, faults);
        return faults.ToArray();
    }

    /// <summary>The tensor-parallel degree nearest to the declared one that divides the model and adds no other fault, the smaller one of two equally near; of those, one with
    /// which the deployment fits its device, where there is one and nothing else is at fault.</summary>
    /// <remarks>It replicates no more key and value heads than the larger, and is within what the links join wherever that is.</remarks>
    /// <param name="deployment">The deployment.</param>
    /// <param name="unsound">The values of it and of its model that are at fault or not known, as for <see cref="Check(DeploymentSpec, IReadOnlyCollection{SpecificationPlace})"/>.</param>
    /// <param name="mayFit">Whether a deployment without faults may fit its device; null where that is not known.</param>
    /// <returns>The degree, or null where each has another fault.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="deployment"/> or <paramref name="unsound"/> is null.</exception>
    public static int? NearestDegree(DeploymentSpec deployment, IReadOnlyCollection<SpecificationPlace> unsound, Func<DeploymentSpec, bool>? mayFit = null)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        var others = Check(deployment, unsound).Where(f => !f.Place.Equals(Degree)).ToList();
        var range = SpecificationLimits.TensorParallel;
        var declared = Math.Min(Math.Max(deployment.TensorParallel, range.Least), range.Most);
        // Sizes are those of a deployment that is sound otherwise.
        var fits = others.Count == 0 && unsound.Count == 0 ? mayFit : null;
        int? nearest = null;
        for (var away = 0L; away <= range.Most - range.Least; away++)
        {
            foreach (var degree in new[] { declared - away, declared + away })
            {
                if (!range.Contains(degree))
                    continue;
                var divided = deployment with { TensorParallel = (int)degree };
                if (!Check(divided, unsound).All(others.Contains))
                    continue;
                if (fits is null || fits(divided))
                    return (int)degree;
                nearest ??= (int)degree;
            }
        }
        return nearest;
    }

    private static void CheckValues(DeploymentSpec deployment, FaultList faults)
    {
        const string of = "the deployment";
        faults.Range(new DeploymentPlace(nameof(deployment.TensorParallel)), of, deployment.TensorParallel, SpecificationLimits.TensorParallel);
        faults.Choice(new DeploymentPlace(nameof(deployment.Weights)), of, deployment.Weights);
        faults.Choice(new DeploymentPlace(nameof(deployment.Activations)), of, deployment.Activations);
        faults.Choice(new DeploymentPlace(nameof(deployment.KeyValues)), of, deployment.KeyValues);
        if (deployment.KeyValueBlockTokens != 0)
            faults.Range(new DeploymentPlace(nameof(deployment.KeyValueBlockTokens)), of, deployment.KeyValueBlockTokens, SpecificationLimits.KeyValueBlockTokens);
        faults.Choice(new DeploymentPlace(nameof(deployment.Prefetch)), of, deployment.Prefetch);
        faults.Choice(new DeploymentPlace(nameof(deployment.PrefetchTargets)), of, deployment.PrefetchTargets);
        faults.Choice(new DeploymentPlace(nameof(deployment.CollectiveFusion)), of, deployment.CollectiveFusion);
        if (deployment is { SequenceParallel: true, CollectiveFusion: CollectiveFusion.Norm })
        {
            faults.Add(new OptionFault(
                new DeploymentPlace(nameof(deployment.CollectiveFusion)),
                "a norm cannot share a kernel with a collective (CollectiveFusion) under SequenceParallel, where it runs between two of them; a matmul can"));
        }
        OffloadRules.CheckValues(deployment.Offload, faults);
        if (deployment.Steps.Count == 0)
            faults.Add(new StepFault(new DeploymentPlace(nameof(deployment.Steps)), "the deployment declares no step: it needs a decode, a prefill or a generation, such as [Decode(Batch = 1, Context = 1024)]"));
    }

    private static void CheckDegree(DeploymentSpec deployment, FaultList faults)
    {
        var degree = deployment.TensorParallel;
        foreach (var (layer, group, index) in ModelRules.Kinds(deployment.Model))
        {
            if (layer.Attention is MultiHeadAttentionSpec attention)
            {
                if (IsSound(nameof(attention.Heads)) && attention.Heads % degree != 0)
                    Refuse(attention.Heads, "query heads", layer);
                // More ranks than KV heads: each head is replicated over the ranks whose queries share it.
                else if (IsSound(nameof(attention.KeyValueHeads)) && attention.KeyValueHeads % degree != 0 && degree % attention.KeyValueHeads != 0)
                    Refuse(attention.KeyValueHeads, DegreeFault.KeyValueHeads, layer);
            }
            foreach (var block in layer.FeedForward.OfType<DenseFeedForwardSpec>())
            {
                if (IsSound(nameof(block.Intermediate)) && block.Intermediate % degree != 0)
                    Refuse(block.Intermediate, "feed-forward elements", layer);
            }

            bool IsSound(string property) => faults.AreSound(new LayerPlace(group, index, property));
        }

        void Refuse(int count, string what, LayerSpec layer) =>
            faults.Add(new DegreeFault(Degree, degree, count, what, layer.Name));
    }

    /// <summary>An option that does nothing on one rank is refused: it would silently be none.</summary>
    private static void NeedsRanks(string option, string why, FaultList faults)
    {
        var place = new DeploymentPlace(option);
        if (faults.AreSound(place, Degree))
            faults.Add(new OptionFault(place, $"{why}: it needs TensorParallel to be 2 or more"));
    }
}
