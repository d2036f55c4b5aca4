using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>How many tokens of each sequence have their keys and values recomputed, in every kind of layer.</summary>
/// <param name="form">The form of the split whose time was made least; null between forms, and where nothing is recomputed.</param>
/// <param name="tokens">Tokens as a function of the context, by the prefix of a kind's names; nothing is recomputed in a kind that is left out.</param>
internal sealed class CacheSplit(KvSplitForm? form, IReadOnlyDictionary<string, Amount> tokens)
{
    /// <summary>Everything is transferred.</summary>
    public static CacheSplit None { get; } = new(null, new Dictionary<string, Amount>());

    /// <summary>The form; null between forms, and where nothing is recomputed.</summary>
    public KvSplitForm? Form { get; } = form;

    /// <summary>Whether what a layer needs is brought while the layer before it runs, and not when the layer itself begins.</summary>
    public bool Ahead { get; init; } = true;

    /// <summary>How stored activations reach the ranks. Where they are gathered, each rank stores its part of their columns, and as many tokens
    /// are recomputed at every context.</summary>
    public ActivationTransfer Activations { get; init; }

    /// <summary>Whether nothing is recomputed at any context.</summary>
    public bool IsNone => tokens.Values.All(t => t.IsZero);

    /// <summary>Tokens that a kind of layer recomputes.</summary>
    /// <param name="kind">The prefix of its names.</param>
    public Amount Of(string kind) => tokens.TryGetValue(kind, out var own) ? own : 0;

    /// <summary>The most tokens that any kind of layer recomputes in a step.</summary>
    /// <param name="step">The step.</param>
    public int MostTokens(StepSpec step) => (int)tokens.Values.Select(t => t.Most(step.MinContext, step.MaxContext)).DefaultIfEmpty(0).Max();

    /// <summary>Whether another split recomputes as many tokens at every context, of activations that reach the ranks in the same way.</summary>
    public bool RecomputesAs(CacheSplit other) => Activations == other.Activations && Kinds.Concat(other.Kinds).All(k => Of(k) == other.Of(k));

    /// <summary>The split with no more than some tokens.</summary>
    /// <param name="most">The most.</param>
    public CacheSplit AtMost(int most) => With(t => Amount.Min(t, most));

    /// <summary>The split with nothing recomputed in some ranges of contexts; at all, where the activations are gathered.</summary>
    /// <param name="ranges">The ranges.</param>
    /// <param name="step">The step that it is a split of.</param>
    public CacheSplit Without(IReadOnlyList<ContextRange> ranges, StepSpec step) => Activations == ActivationTransfer.Gathered ? None : With(t =>
    {
        foreach (var range in ranges)
            t = Amount.WhereNotNegative(Amount.Context - range.First, Amount.WhereNotNegative(Amount.Context - (range.Last + 1), t, 0), t);
        return t.Within(step.MinContext, step.MaxContext);
    });

    /// <summary>Tokens whose activations a prefill has to store, of each kind: the most that any of the splits recomputes.</summary>
    /// <param name="splits">Splits of decode steps, each with the step; their activations reach the ranks in one way.</param>
    public static CacheSplit Stored(IReadOnlyList<(CacheSplit Split, StepSpec Step)> splits)
    {
        var most = new Dictionary<string, Amount>();
        foreach (var (split, step) in splits)
        {
            foreach (var kind in split.Kinds)
                most[kind] = Amount.Max(most.TryGetValue(kind, out var before) ? before : 0, split.Of(kind).Most(step.MinContext, step.MaxContext));
        }
        return new CacheSplit(null, most) { Activations = splits.Select(s => s.Split.Activations).DefaultIfEmpty().Max() };
    }

    private CacheSplit With(Func<Amount, Amount> change) =>
        new(Form, tokens.ToDictionary(t => t.Key, t => change(t.Value))) { Ahead = Ahead, Activations = Activations };

    private IEnumerable<string> Kinds => tokens.Keys.OrderBy(k => k, StringComparer.Ordinal);
}
