using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What holds of every model that can be planned.</summary>
public static class ModelRules
{
    /// <summary>Checks a model by itself: first every value, then, where those are sound, the values together.</summary>
    /// <param name="model">The model.</param>
    /// <returns>The faults, in the order of the specification; empty where there are none.</returns>
    public static EquatableArray<SpecificationFault> Check(ModelSpec model)
    {
        if (model is null)
            throw new ArgumentNullException(nameof(model));
        var faults = new FaultList();
        CheckValues(model, faults);
        foreach (var (layer, group, index) in Kinds(model))
            CheckValues(layer, group, index, faults);
        if (faults.Any)
            return faults.ToArray();

        foreach (var (layer, group, index) in Kinds(model))
            CheckTogether(layer, group, index, faults);
        CheckTogether(model, faults);
        return faults.ToArray();
    }

    private static void CheckValues(ModelSpec model, FaultList faults)
    {
        var of = $"model '{NameRules.Printable(model.Name)}'";
        if (!NameRules.IsModelName(model.Name))
            faults.Add(new NameFault(new ModelPlace(nameof(model.Name)), model.Name, NameRules.Model));
        faults.Range(new ModelPlace(nameof(model.Hidden)), of, model.Hidden, SpecificationLimits.Hidden);
        faults.Range(new ModelPlace(nameof(model.Vocabulary)), of, model.Vocabulary, SpecificationLimits.Vocabulary);
        faults.Range(new ModelPlace(nameof(model.MaxPositions)), of, model.MaxPositions, SpecificationLimits.MaxPositions);
        if (model.LearnedPositions != 0)
            faults.Range(new ModelPlace(nameof(model.LearnedPositions)), of, model.LearnedPositions, SpecificationLimits.LearnedPositions);
        faults.Choice(new ModelPlace(nameof(model.FinalNorm)), of, model.FinalNorm);

        if (model.Stack.Count == 0)
            faults.Add(new ContradictionFault(new ModelPlace(nameof(model.Stack)), $"{of} has no layers"));
        for (var g = 0; g < model.Stack.Count; g++)
        {
            faults.Range(new GroupPlace(g, nameof(LayerGroup.Repeat)), $"the layers of {of}", model.Stack[g].Repeat, SpecificationLimits.Repeat);
            if (model.Stack[g].Pattern.Count == 0)
                faults.Add(new ContradictionFault(new GroupPlace(g, nameof(LayerGroup.Pattern)), $"a run of layers of {of} names no layer"));
        }
    }

    private static void CheckValues(LayerSpec layer, int group, int index, FaultList faults)
    {
        var of = $"layer '{NameRules.Printable(layer.Name)}'";
        if (!NameRules.IsLayerName(layer.Name))
            faults.Add(new NameFault(At(nameof(layer.Name)), layer.Name, NameRules.Layer));
        faults.Choice(At(nameof(layer.Norm)), of, layer.Norm);
        faults.Choice(At(nameof(layer.Position)), of, layer.Position);
        if (layer.Attention is MultiHeadAttentionSpec attention)
        {
            faults.Range(At(nameof(attention.Heads)), of, attention.Heads, SpecificationLimits.Heads);
            faults.Range(At(nameof(attention.KeyValueHeads)), of, attention.KeyValueHeads, SpecificationLimits.KeyValueHeads);
            faults.Range(At(nameof(attention.HeadSize)), of, attention.HeadSize, SpecificationLimits.HeadSize);
            faults.Choice(At(nameof(attention.Bias)), of, attention.Bias);
            if (attention.Window != 0)
                faults.Range(At(nameof(attention.Window)), of, attention.Window, SpecificationLimits.Window);
        }
        if (layer.FeedForward.Count != 1)
            faults.Add(new ContradictionFault(At(nameof(layer.FeedForward)), $"{of} has {layer.FeedForward.Count} feed-forward blocks, but must have one"));
        foreach (var block in layer.FeedForward.OfType<DenseFeedForwardSpec>())
        {
            faults.Range(At(nameof(block.Intermediate)), of, block.Intermediate, SpecificationLimits.Intermediate);
            faults.Choice(At(nameof(block.Activation)), of, block.Activation);
        }

        LayerPlace At(string property) => new(group, index, property);
    }

    private static void CheckTogether(LayerSpec layer, int group, int index, FaultList faults)
    {
        if (layer.SeparateNorms && !layer.Parallel)
        {
            faults.Add(new ContradictionFault(
                new LayerPlace(group, index, nameof(layer.SeparateNorms)),
                $"layer '{layer.Name}' declares SeparateNorms, but not Parallel: each of its blocks has a norm of its own in any case"));
        }
        if (layer.Attention is not MultiHeadAttentionSpec attention)
            return;
        if (attention.Heads % attention.KeyValueHeads != 0)
        {
            faults.Add(new ContradictionFault(
                new LayerPlace(group, index, nameof(attention.KeyValueHeads)),
                $"KeyValueHeads of layer '{layer.Name}' is {ValueRange.Grouped(attention.KeyValueHeads)}, which does not divide its {ValueRange.Grouped(attention.Heads)} query heads"));
        }
        var width = (long)attention.Heads * attention.HeadSize;
        if (!SpecificationLimits.QueryWidth.Contains(width))
        {
            faults.Add(new TooLargeFault(
                new LayerPlace(group, index, nameof(attention.HeadSize)),
                $"Heads times HeadSize of layer '{layer.Name}'", ValueRange.Grouped(width), SpecificationLimits.QueryWidth.Most));
        }
    }

    private static void CheckTogether(ModelSpec model, FaultList faults)
    {
        var learned = Kinds(model).Where(k => k.Layer.Position == Position.Learned).Select(k => k.Layer.Name).FirstOrDefault();
        if (learned is not null && model.LearnedPositions == 0)
        {
            faults.Add(new ContradictionFault(
                new ModelPlace(nameof(model.LearnedPositions)),
                $"layer '{learned}' has learned positions, but model '{model.Name}' does not give LearnedPositions, the rows of their table"));
        }
        if (learned is null && model.LearnedPositions != 0)
        {
            faults.Add(new ContradictionFault(
                new ModelPlace(nameof(model.LearnedPositions)),
                $"model '{model.Name}' has {ValueRange.Grouped(model.LearnedPositions)} learned positions, but none of its layers declares Position.Learned"));
        }

        var layers = model.Stack.Sum(g => (long)g.Pattern.Count * g.Repeat);
        if (!SpecificationLimits.LayerCount.Contains(layers))
        {
            faults.Add(new TooLargeFault(
                new GroupPlace(model.Stack.Count - 1, nameof(LayerGroup.Repeat)),
                $"the number of layers of model '{model.Name}'", ValueRange.Grouped(layers), SpecificationLimits.LayerCount.Most));
        }
        var parameters = StepWork.Parameters(model);
        if (parameters > SpecificationLimits.Parameters.Most)
        {
            faults.Add(new TooLargeFault(
                new ModelPlace(nameof(model.Hidden)),
                $"the number of parameters of model '{model.Name}'", StepWork.Grouped(parameters), SpecificationLimits.Parameters.Most));
        }
    }

    /// <summary>Every kind of layer once, with the first place it stands at.</summary>
    internal static IEnumerable<(LayerSpec Layer, int Group, int Index)> Kinds(ModelSpec model)
    {
        var seen = new HashSet<LayerSpec>();
        for (var g = 0; g < model.Stack.Count; g++)
        {
            for (var i = 0; i < model.Stack[g].Pattern.Count; i++)
            {
                if (seen.Add(model.Stack[g].Pattern[i]))
                    yield return (model.Stack[g].Pattern[i], g, i);
            }
        }
    }
}
