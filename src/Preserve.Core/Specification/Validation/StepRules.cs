using System;
using System.Linq;

namespace Preserve;

/// <summary>What holds of every step of a deployment that can be planned.</summary>
internal static class StepRules
{
    public static void CheckValues(StepSpec step, int index, FaultList faults)
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

    /// <summary>Checks the steps with each other, the options and the model, as far as their values are sound.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="degreeIsKnown">Whether there is a number of ranks, though it may not divide the model.</param>
    /// <param name="faults">Takes the faults.</param>
    public static void CheckTogether(DeploymentSpec deployment, bool degreeIsKnown, FaultList faults)
    {
        // What is wrong with a value beside others leaves it a value.
        var known = deployment.Steps.Select((step, i) => Known.Of(step, i, faults)).ToList();
        for (var index = 0; index < known.Count; index++)
        {
            var step = deployment.Steps[index];
            if (known[index].All && Enumerable.Range(0, index).Any(i => known[i].All && deployment.Steps[i] == step))
                faults.Add(new StepFault(new StepPlace(index, nameof(step.Batch)), $"the step '{step}' is declared twice"));
            else
                CheckTogether(deployment, index, known[index], degreeIsKnown, faults);
        }
    }

    private static void CheckTogether(DeploymentSpec deployment, int index, Known known, bool degreeIsKnown, FaultList faults)
    {
        var step = deployment.Steps[index];
        var length = StepPlace.OfLength(index, step);
        if (step is DecodeSpec { Total: true } mixed && known.Batch && known.Length && mixed.Context < mixed.Sequences)
        {
            faults.Add(new OutOfRangeFault(
                length, $"a decode step of {ValueRange.Grouped(mixed.Sequences)} sequences", mixed.Context, SpecificationLimits.CachedTokens with { Least = mixed.Sequences }));
        }
        if (step is DecodeSpec { Prompt: 0 } open && known.Prompt)
            CheckRecomputation(open, length, deployment.Offload, faults);
        if (step is DecodeSpec { Prompt: not 0 } generating && known.Prompt)
            CheckPrompt(generating, index, known.Length, faults);
        if (deployment.SequenceParallel && degreeIsKnown && known.Batch && (step is DecodeSpec || known.Length))
            CheckShares(deployment, index, faults);
        if (known.Length && (known.Batch || step is not DecodeSpec { Total: true }))
            CheckTable(deployment.Model, step, length, faults);
        if (known.Batch && known.Length)
            CheckSizes(deployment.Model, step, index, faults);
    }

    private static void CheckRecomputation(DecodeSpec step, StepPlace length, OffloadSpec offload, FaultList faults)
    {
        if (offload is not { KeyValues: Home.Host, Recompute: RecomputePolicy.Best }
            || !faults.AreSound(new DeploymentPlace(nameof(DeploymentAttribute.KeyValueHome)), new DeploymentPlace(nameof(offload.Recompute))))
        {
            return;
        }
        faults.Add(new StepFault(length, step.Total
            ? "the decode step gives CachedTokens, of all sequences together, and only those of a known length are recomputed: it needs Context and Prompt, of each sequence, or Recompute of the deployment to be RecomputePolicy.None"
            : "the decode step does not give Prompt, the tokens whose activations are stored to recompute keys and values from: it needs one, or Recompute of the deployment to be RecomputePolicy.None"));
    }

    private static void CheckPrompt(DecodeSpec step, int index, bool lengthIsKnown, FaultList faults)
    {
        var place = new StepPlace(index, nameof(step.Prompt));
        if (step.Total)
        {
            faults.Add(new StepFault(place, "the decode step gives both Prompt, of each sequence, and CachedTokens, of all together"));
            return;
        }
        var (of, most) = lengthIsKnown && step.Prompt > 0
            ? ($"a decode step with a context of {ValueRange.Grouped(step.Context)}", step.Context)
            : ("the decode step", SpecificationLimits.Context.Most);
        faults.Range(place, of, step.Prompt, SpecificationLimits.Context with { Most = most });
    }

    private static void CheckShares(DeploymentSpec deployment, int index, FaultList faults)
    {
        var step = deployment.Steps[index];
        var (rows, ranks) = (step.NewRows(), deployment.TensorParallel);
        if (rows % ranks != 0)
        {
            faults.Add(new StepFault(
                new StepPlace(index, nameof(step.Batch)),
                $"SequenceParallel divides the {ValueRange.Grouped(rows)} new tokens of the step '{step}' over {ValueRange.Grouped(ranks)} ranks; they must be a multiple of {ValueRange.Grouped(ranks)}"));
        }
    }

    private static void CheckTable(ModelSpec model, StepSpec step, StepPlace length, FaultList faults)
    {
        if (faults.AreSound(new DeploymentPlace(nameof(DeploymentSpec.Model)), new ModelPlace(nameof(model.LearnedPositions)), new ModelPlace(nameof(model.MaxPositions)))
            && model.TablePositions is var positions and > 0 && step.LongestSequence > positions
            && ModelRules.Kinds(model).Any(k => k.Layer.Position == Position.Learned))
        {
            faults.Add(new BeyondTableFault(length, step.LongestSequence, model.Name, model.LearnedPositions, positions));
        }
    }

    private static void CheckSizes(ModelSpec model, StepSpec step, int index, FaultList faults)
    {
        var rows = step.NewRows();
        var batch = new StepPlace(index, nameof(step.Batch));
        if (!SpecificationLimits.Rows.Contains(rows))
        {
            faults.Add(new TooLargeFault(
                new StepPlace(index, nameof(PrefillSpec.Tokens)), "Batch times Tokens of the prefill step", ValueRange.Grouped(rows), SpecificationLimits.Rows.Most));
        }
        else if (faults.AreSizesSound && rows * NormedHeads(model) is var normed && normed > SpecificationLimits.Rows.Most)
        {
            faults.Add(new TooLargeFault(batch, $"the number of heads that the step '{step}' normalises", ValueRange.Grouped(normed), SpecificationLimits.Rows.Most));
        }
        else if (faults.AreSizesSound && StepWork.Operations(model, step) is var work && work > SpecificationLimits.Operations.Most)
        {
            faults.Add(new TooLargeFault(batch, $"the number of operations of the step '{step}'", StepWork.Grouped(work), SpecificationLimits.Operations.Most));
        }
    }

    /// <summary>Rows of the step's matmuls: the new tokens of one batch.</summary>
    private static long NewRows(this StepSpec step) => (long)step.Batch * step.NewTokens;

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

    /// <summary>Which values of a step are known, and sound each.</summary>
    private sealed record Known(bool Batch, bool Length, bool Prompt)
    {
        public bool All => Batch && Length && Prompt;

        public static Known Of(StepSpec step, int index, FaultList faults) => new(
            faults.AreSound(new StepPlace(index, nameof(step.Batch))), faults.AreSound(StepPlace.OfLength(index, step)), faults.AreSound(new StepPlace(index, nameof(DecodeSpec.Prompt))));
    }
}
