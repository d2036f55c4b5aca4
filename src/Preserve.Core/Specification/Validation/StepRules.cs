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

    /// <summary>Checks a step with the others, the options and the model, as far as their values are sound.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="index">The step's index.</param>
    /// <param name="degreeIsKnown">Whether there is a number of ranks, though it may not divide the model.</param>
    /// <param name="faults">Takes the faults.</param>
    public static void CheckTogether(DeploymentSpec deployment, int index, bool degreeIsKnown, FaultList faults)
    {
        var step = deployment.Steps[index];
        var (batch, length) = (new StepPlace(index, nameof(step.Batch)), StepPlace.OfLength(index, step));
        for (var earlier = 0; earlier < index; earlier++)
        {
            if (deployment.Steps[earlier] == step && IsKnown(step, index, faults) && IsKnown(step, earlier, faults))
            {
                faults.Add(new StepFault(batch, $"the step '{step}' is declared twice"));
                return;
            }
        }
        var (batchIsKnown, lengthIsKnown) = (faults.AreSound(batch), faults.AreSound(length));
        if (step is DecodeSpec { Total: true } mixed && batchIsKnown && lengthIsKnown && mixed.Context < mixed.Sequences)
        {
            faults.Add(new OutOfRangeFault(
                length, $"a decode step of {ValueRange.Grouped(mixed.Sequences)} sequences", mixed.Context, SpecificationLimits.CachedTokens with { Least = mixed.Sequences }));
        }
        if (step is DecodeSpec { Prompt: not 0 } generating)
            CheckPrompt(generating, index, lengthIsKnown, faults);
        if (deployment.SequenceParallel && degreeIsKnown && batchIsKnown && (step is DecodeSpec || lengthIsKnown))
            CheckShares(deployment, index, faults);
        if (faults.AreSound(length) && (batchIsKnown || step is not DecodeSpec { Total: true }))
            CheckTable(deployment.Model, step, length, faults);
        if (faults.AreSound(batch, length))
            CheckSizes(deployment.Model, step, index, faults);
    }

    private static bool IsKnown(StepSpec step, int index, FaultList faults) =>
        faults.AreSound(new StepPlace(index, nameof(step.Batch)), StepPlace.OfLength(index, step), new StepPlace(index, nameof(DecodeSpec.Prompt)));

    private static void CheckPrompt(DecodeSpec step, int index, bool lengthIsKnown, FaultList faults)
    {
        var place = new StepPlace(index, nameof(step.Prompt));
        if (step.Total)
            faults.Add(new StepFault(place, "the decode step gives both Prompt, of each sequence, and CachedTokens, of all together"));
        else if (lengthIsKnown && (step.Prompt < 1 || step.Prompt > step.Context))
            faults.Add(new OutOfRangeFault(place, $"a decode step with a context of {ValueRange.Grouped(step.Context)}", step.Prompt, SpecificationLimits.Context with { Most = step.Context }));
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
        else if (faults.IsModelSound && rows * NormedHeads(model) is var normed && normed > SpecificationLimits.Rows.Most)
        {
            faults.Add(new TooLargeFault(batch, $"the number of heads that the step '{step}' normalises", ValueRange.Grouped(normed), SpecificationLimits.Rows.Most));
        }
        else if (faults.IsModelSound && StepWork.Operations(model, step) is var work && work > SpecificationLimits.Operations.Most)
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
}
