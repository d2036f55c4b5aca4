using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What holds of every model that can be planned.</summary>
public static class ModelRules
{
    private static readonly ModelPlace Stack = new(nameof(ModelSpec.Stack));

    /// <summary>Checks a model by itself: every value, then those together that are sound each.</summary>
    /// <param name="model">The model.</param>
    /// <returns>The faults; empty where there are none.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> is null.</exception>
    public static EquatableArray<SpecificationFault> Check(ModelSpec model) => Check(model, []);

    /// <summary>Checks a model of which a part is known to be at fault: what others are, and do not follow from it.</summary>
    /// <param name="model">The model. Every value is looked at by itself, so what stands for one that is not known must be in its range.</param>
    /// <param name="unsound">The values that no rule on several may look at, because they are at fault or not known; of a kind of layer, where it stands first;
    /// <see cref="ModelSpec.Stack"/> where layers are missing.</param>
    /// <returns>The other faults; empty where there are none.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static EquatableArray<SpecificationFault> Check(ModelSpec model, IReadOnlyCollection<SpecificationPlace> unsound)
    {
        if (model is null)
            throw new ArgumentNullException(nameof(model));
        if (unsound is null)
            throw new ArgumentNullException(nameof(unsound));
        var faults = new FaultList(unsound);
        CheckValues(model, faults);
        foreach (var (layer, group, index) in Kinds(model))
            CheckValues(layer, group, index, faults);
        foreach (var (layer, group, index) in Kinds(model))
            CheckTogether(layer, group, index, faults);
        CheckPositions(model, faults);
        CheckLayerCount(model, faults);
        if (faults.AreSizesSound)
            CheckParameters(model, faults);
        return faults.ToArray();
    }

    private static void CheckValues(ModelSpec model, FaultList faults)
    {
        var of = NameOf(model);
        if (!NameRules.IsModelName(model.Name))
            faults.Add(new NameFault(new ModelPlace(nameof(model.Name)), model.Name, NameRules.Model));
        faults.Range(new ModelPlace(nameof(model.Hidden)), of, model.Hidden, SpecificationLimits.Hidden);
        faults.Range(new ModelPlace(nameof(model.Vocabulary)), of, model.Vocabulary, SpecificationLimits.Vocabulary);
        faults.Range(new ModelPlace(nameof(model.MaxPositions)), of, model.MaxPositions, SpecificationLimits.MaxPositions);
        if (model.LearnedPositions != 0)
            faults.Range(new ModelPlace(nameof(model.LearnedPositions)), of, model.LearnedPositions, SpecificationLimits.LearnedPositions);
        faults.Choice(new ModelPlace(nameof(model.FinalNorm)), of, model.FinalNorm);

        if (model.Stack.Count == 0 && faults.AreSound(Stack))
            faults.Add(new ContradictionFault(new ModelPlace(nameof(model.Stack)), $"{of} has no layers"));
        for (var g = 0; g < model.Stack.Count; g++)
        {
            faults.Range(new GroupPlace(g, nameof(LayerGroup.Repeat)), $"the layers of {of}", model.Stack[g].Repeat, SpecificationLimits.Repeat);
            if (model.Stack[g].Pattern.Count == 0 && faults.AreSound(Stack))
                faults.Add(new ContradictionFault(new GroupPlace(g, nameof(LayerGroup.Pattern)), $"a run of layers of {of} names no layer"));
        }
    }

    private static void CheckValues(LayerSpec layer, int group, int index, FaultList faults)
    {
        var of = NameOf(layer);
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
        if (layer.SeparateNorms && !layer.Parallel && faults.AreSound(At(nameof(layer.Parallel))))
        {
            faults.Add(new ContradictionFault(
                new LayerPlace(group, index, nameof(layer.SeparateNorms)),
                $"{NameOf(layer)} declares SeparateNorms, but not Parallel: each of its blocks has a norm of its own in any case"));
        }
        if (layer.Attention is not MultiHeadAttentionSpec attention)
            return;
        if (faults.AreSound(At(nameof(attention.Heads)), At(nameof(attention.KeyValueHeads))) && attention.Heads % attention.KeyValueHeads != 0)
        {
            faults.Add(new ContradictionFault(
                At(nameof(attention.KeyValueHeads)),
                $"KeyValueHeads of {NameOf(layer)} is {ValueRange.Grouped(attention.KeyValueHeads)}, which does not divide its {ValueRange.Grouped(attention.Heads)} query heads"));
        }
        var width = (long)attention.Heads * attention.HeadSize;
        if (faults.AreSound(At(nameof(attention.Heads)), At(nameof(attention.HeadSize))) && !SpecificationLimits.QueryWidth.Contains(width))
        {
            faults.Add(new TooLargeFault(
                At(nameof(attention.HeadSize)), $"Heads times HeadSize of {NameOf(layer)}", ValueRange.Grouped(width), SpecificationLimits.QueryWidth.Most));
        }

        LayerPlace At(string property) => new(group, index, property);
    }

    private static void CheckPositions(ModelSpec model, FaultList faults)
    {
        if (!faults.AreSound(new ModelPlace(nameof(model.LearnedPositions))))
            return;
        var learned = Kinds(model).Where(k => k.Layer.Position == Position.Learned).Select(k => NameOf(k.Layer)).FirstOrDefault();
        if (learned is not null && model.LearnedPositions == 0)
        {
            faults.Add(new ContradictionFault(
                new ModelPlace(nameof(model.LearnedPositions)),
                $"{learned} has learned positions, but {NameOf(model)} does not give LearnedPositions, the rows of their table"));
        }
        var allAreKnown = faults.AreSound(Stack) && Kinds(model).All(k => faults.AreSound(new LayerPlace(k.Group, k.Index, nameof(LayerSpec.Position))));
        if (learned is null && model.LearnedPositions != 0 && allAreKnown)
        {
            faults.Add(new ContradictionFault(
                new ModelPlace(nameof(model.LearnedPositions)),
                $"{NameOf(model)} has {ValueRange.Grouped(model.LearnedPositions)} learned positions, but none of its layers declares Position.Learned"));
        }
    }

    private static void CheckLayerCount(ModelSpec model, FaultList faults)
    {
        for (var g = 0; g < model.Stack.Count; g++)
        {
            if (!faults.AreSound(Stack, new GroupPlace(g, nameof(LayerGroup.Repeat)), new GroupPlace(g, nameof(LayerGroup.Pattern))))
                return;
        }
        var layers = model.Stack.Sum(g => (long)g.Pattern.Count * g.Repeat);
        if (layers > SpecificationLimits.LayerCount.Most)
        {
            faults.Add(new TooLargeFault(
                new GroupPlace(model.Stack.Count - 1, nameof(LayerGroup.Repeat)),
                $"the number of layers of {NameOf(model)}", ValueRange.Grouped(layers), SpecificationLimits.LayerCount.Most));
        }
    }

    private static void CheckParameters(ModelSpec model, FaultList faults)
    {
        var parameters = StepWork.Parameters(model);
        if (parameters > SpecificationLimits.Parameters.Most)
        {
            faults.Add(new TooLargeFault(
                new ModelPlace(nameof(model.Hidden)),
                $"the number of parameters of {NameOf(model)}", StepWork.Grouped(parameters), SpecificationLimits.Parameters.Most));
        }
    }

    private static string NameOf(ModelSpec model) => $"model '{NameRules.Printable(model.Name)}'";

    private static string NameOf(LayerSpec layer) => $"layer '{NameRules.Printable(layer.Name)}'";

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
