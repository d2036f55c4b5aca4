using System;
using System.Linq;

namespace Preserve;

/// <summary>What holds of every deployment that can be planned, but for its device and memory.</summary>
public static class DeploymentRules
{
    /// <summary>Checks a deployment, without its model: first every value, then, where those and the model are sound, the
    /// values together and with the model.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="modelIsSound">Whether <see cref="ModelRules.Check"/> finds no fault in its model.</param>
    /// <returns>The faults, in the order of the specification; empty where there are none.</returns>
    public static EquatableArray<SpecificationFault> Check(DeploymentSpec deployment, bool modelIsSound)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        var faults = new FaultList();
        CheckValues(deployment, faults);
        for (var i = 0; i < deployment.Steps.Count; i++)
            CheckValues(deployment.Steps[i], i, faults);
        if (faults.Any)
            return faults.ToArray();

        if (modelIsSound)
            CheckDegree(deployment, faults);
        if (deployment.SequenceParallel && deployment.TensorParallel == 1)
            NeedsRanks(nameof(deployment.SequenceParallel), "SequenceParallel is true, but divides tokens over the ranks of a group", faults);
        if (deployment.CollectiveFusion != CollectiveFusion.None && deployment.TensorParallel == 1)
            NeedsRanks(nameof(deployment.CollectiveFusion), $"CollectiveFusion is CollectiveFusion.{deployment.CollectiveFusion}, but one rank alone has no collectives to fuse kernels with", faults);
        OffloadRules.CheckTogether(deployment, faults);
        for (var i = 0; i < deployment.Steps.Count; i++)
            CheckTogether(deployment, i, modelIsSound, faults);
        return faults.ToArray();
    }

    /// <summary>The tensor-parallel degree nearest to the declared one with which the deployment keeps all rules, the smaller one of two equally near.</summary>
    /// <remarks>It replicates no more key and value heads than the larger, and is within what the links join wherever that is.</remarks>
    /// <param name="deployment">The deployment; its model is sound.</param>
    /// <returns>The degree, or null where another value is at fault too.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="deployment"/> is null.</exception>
    public static int? NearestDegree(DeploymentSpec deployment)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        var range = SpecificationLimits.TensorParallel;
        var declared = Math.Min(Math.Max(deployment.TensorParallel, range.Least), range.Most);
        for (var away = 0L; away <= range.Most - range.Least; away++)
        {
            foreach (var degree in new[] { declared - away, declared + away })
            {
                if (range.Contains(degree) && Check(deployment with { TensorParallel = (int)degree }, modelIsSound: true).Count == 0)
                    return (int)degree;
            }
        }
        return null;
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
            faults.Add(new StepFault(new DeploymentPlace(nameof(deployment.Steps)), "the deployment declares no step: no decode, no prefill and no generation"));
    }

    private static void CheckValues(StepSpec step, int index, FaultList faults)
    {
        var of = step is DecodeSpec ? "the decode step" : "the prefill step";
        faults.Range(new StepPlace(index, nameof(step.Batch)), of, step.Batch, SpecificationLimits.Batch);
        switch (step)
        {
            case DecodeSpec { Total: false } decode:
                faults.Range(new StepPlace(index, nameof(decode.Context)), of, decode.Context, SpecificationLimits.Context);
                break;
            case DecodeSpec decode:
                faults.Range(new StepPlace(index, nameof(DecodeAttribute.CachedTokens)), of, decode.Context, SpecificationLimits.CachedTokens);
                break;
            case PrefillSpec prefill:
                faults.Range(new StepPlace(index, nameof(prefill.Tokens)), of, prefill.Tokens, SpecificationLimits.Tokens);
                break;
        }
    }

    private static void CheckDegree(DeploymentSpec deployment, FaultList faults)
    {
        var degree = deployment.TensorParallel;
        foreach (var (layer, _, _) in ModelRules.Kinds(deployment.Model))
        {
            if (layer.Attention is MultiHeadAttentionSpec attention)
            {
                if (attention.Heads % degree != 0)
                    Refuse(attention.Heads, "query heads", layer);
                // More ranks than KV heads: each head is replicated over the ranks whose queries share it.
                else if (attention.KeyValueHeads % degree != 0 && degree % attention.KeyValueHeads != 0)
                    Refuse(attention.KeyValueHeads, DegreeFault.KeyValueHeads, layer);
            }
            foreach (var block in layer.FeedForward.OfType<DenseFeedForwardSpec>())
            {
                if (block.Intermediate % degree != 0)
                    Refuse(block.Intermediate, "feed-forward elements", layer);
            }
        }

        void Refuse(int count, string what, LayerSpec layer) =>
            faults.Add(new DegreeFault(new DeploymentPlace(nameof(deployment.TensorParallel)), degree, count, what, layer.Name));
    }

    /// <summary>An option that does nothing on one rank is refused: it would silently be none.</summary>
    private static void NeedsRanks(string option, string why, FaultList faults) =>
        faults.Add(new OptionFault(new DeploymentPlace(option), $"{why}: it needs TensorParallel to be 2 or more"));

    /// <summary>Most query and key heads of a layer that are normalised one by one: each is a row of the norm. 0 where none are.</summary>
    private static long NormedHeads(ModelSpec model)
    {
        var most = 0L;
        foreach (var (layer, _, _) in ModelRules.Kinds(model))
        {
            if (layer.Attention is MultiHeadAttentionSpec { QueryKeyNorm: true } attention)
                most = Math.Max(most, (long)attention.Heads + attention.KeyValueHeads);
        }
        return most;
    }

    private static bool CheckPrompt(DecodeSpec step, int index, FaultList faults)
    {
        var place = new StepPlace(index, nameof(step.Prompt));
        if (step.Total)
        {
            faults.Add(new StepFault(place, "the decode step gives both Prompt, of each sequence, and CachedTokens, of all together"));
            return false;
        }
        if (step.Prompt >= 1 && step.Prompt <= step.Context)
            return true;
        faults.Add(new OutOfRangeFault(
            place, $"a decode step with a context of {ValueRange.Grouped(step.Context)}", step.Prompt, SpecificationLimits.Context with { Most = step.Context }));
        return false;
    }

    private static void CheckTogether(DeploymentSpec deployment, int index, bool modelIsSound, FaultList faults)
    {
        var step = deployment.Steps[index];
        for (var earlier = 0; earlier < index; earlier++)
        {
            if (deployment.Steps[earlier] == step)
            {
                faults.Add(new StepFault(new StepPlace(index, nameof(step.Batch)), $"the step '{step}' is declared twice"));
                return;
            }
        }
        if (step is DecodeSpec { Total: true } mixed && mixed.Context < mixed.Sequences)
        {
            faults.Add(new OutOfRangeFault(
                new StepPlace(index, nameof(DecodeAttribute.CachedTokens)), $"a decode step of {ValueRange.Grouped(mixed.Sequences)} sequences", mixed.Context,
                SpecificationLimits.CachedTokens with { Least = mixed.Sequences }));
            return;
        }
        if (step is DecodeSpec { Prompt: not 0 } generating && !CheckPrompt(generating, index, faults))
            return;
        if (modelIsSound && deployment.Model.TablePositions is var positions and > 0 && step.LongestSequence > positions)
        {
            faults.Add(new BeyondTableFault(StepPlace.OfLength(index, step), step.LongestSequence, deployment.Model.Name, deployment.Model.LearnedPositions, positions));
            return;
        }
        var rows = (long)step.Batch * step.NewTokens;
        if (deployment.SequenceParallel && rows % deployment.TensorParallel != 0)
        {
            faults.Add(new StepFault(
                new StepPlace(index, nameof(step.Batch)),
                $"SequenceParallel divides the {ValueRange.Grouped(rows)} new tokens of the step '{step}' over {ValueRange.Grouped(deployment.TensorParallel)} ranks; they must be a multiple of {ValueRange.Grouped(deployment.TensorParallel)}"));
            return;
        }
        if (!SpecificationLimits.Rows.Contains(rows))
        {
            faults.Add(new TooLargeFault(
                new StepPlace(index, nameof(PrefillSpec.Tokens)), "Batch times Tokens of the prefill step", ValueRange.Grouped(rows), SpecificationLimits.Rows.Most));
        }
        else if (modelIsSound && rows * NormedHeads(deployment.Model) is var normed && normed > SpecificationLimits.Rows.Most)
        {
            faults.Add(new TooLargeFault(
                new StepPlace(index, nameof(step.Batch)), $"the number of heads that the step '{step}' normalises", ValueRange.Grouped(normed), SpecificationLimits.Rows.Most));
        }
        else if (modelIsSound && StepWork.Operations(deployment.Model, step) is var work && work > SpecificationLimits.Operations.Most)
        {
            faults.Add(new TooLargeFault(
                new StepPlace(index, nameof(step.Batch)), $"the number of operations of the step '{step}'", StepWork.Grouped(work), SpecificationLimits.Operations.Most));
        }
    }
}
