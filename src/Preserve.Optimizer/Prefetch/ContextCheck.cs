using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Holds a plan against the base plan at contexts that both serve, and finds where it is slower.</summary>
/// <remarks>Between contexts at which sizes bend the gain changes slowly, except where the L2 begins to hold what it did not: there it mostly falls to a loss
/// over many contexts, and comes back at once. So contexts lie close where the gain is about to be used up. A loss of a few contexts between two whose gains
/// are alike is not seen (docs/prefetch.md, docs/kv-split.md).</remarks>
/// <param name="basePlan">The base plan.</param>
/// <param name="times">Times of plans.</param>
internal sealed class ContextCheck(ExecutionPlan basePlan, PlanTimes times)
{
    /// <summary>Parts of the range that are looked at in any case, and the smallest that are.</summary>
    public const int Coarsest = 16, Finest = 256;

    /// <summary>The ranges of contexts in which a plan was found slower than the base plan, each up to the next contexts at which it was not; ascending.</summary>
    /// <param name="plan">The plan.</param>
    public List<ContextRange> Losses(ExecutionPlan plan)
    {
        var gains = GainsOf(plan);
        var losses = new List<ContextRange>();
        for (var i = 0; i < gains.Count; i++)
        {
            if (gains[i].Picoseconds >= 0)
                continue;
            var first = i == 0 ? gains[i].Context : gains[i - 1].Context + 1;
            while (i + 1 < gains.Count && gains[i + 1].Picoseconds < 0)
                i++;
            losses.Add(new ContextRange(first, i + 1 == gains.Count ? gains[i].Context : gains[i + 1].Context - 1));
        }
        return losses;
    }

    /// <summary>What a plan gains over the base plan at each context that is looked at, ascending: the smallest and the largest, those at which its sizes
    /// bend, sixteenths of the way, and where the gain changes by more than is left of it, or turns to a loss, halves of that, down to a 256th.</summary>
    /// <param name="plan">The plan.</param>
    public List<(int Context, long Picoseconds)> GainsOf(ExecutionPlan plan)
    {
        var (first, last) = (plan.Step.MinContext, plan.Step.MaxContext);
        var contexts = new SortedSet<int>(plan.CheckedContexts());
        for (var i = 0; i <= Coarsest; i++)
            contexts.Add(first + (int)((long)(last - first) * i / Coarsest));
        var finest = Math.Max((last - first) / Finest, 1);
        var gains = new List<(int Context, long Picoseconds)>();
        foreach (var context in contexts)
        {
            var next = At(context);
            if (gains.Count > 0)
                AddBetween(gains[gains.Count - 1], next);
            gains.Add(next);
        }
        return gains;

        void AddBetween((int Context, long Picoseconds) before, (int Context, long Picoseconds) after)
        {
            if (after.Context - before.Context <= finest || !IsInDoubt(before.Picoseconds, after.Picoseconds))
                return;
            var middle = At(before.Context + ((after.Context - before.Context) / 2));
            AddBetween(before, middle);
            gains.Add(middle);
            AddBetween(middle, after);
        }

        (int Context, long Picoseconds) At(int context) => (context, times.Of(basePlan, context) - times.Of(plan, context));
    }

    /// <summary>The contexts of two lists of ranges, as ranges that lie apart.</summary>
    public static List<ContextRange> Union(IEnumerable<ContextRange> some, IEnumerable<ContextRange> more)
    {
        var union = new List<ContextRange>();
        foreach (var range in some.Concat(more).OrderBy(r => r.First))
        {
            if (union.Count > 0 && range.First <= union[union.Count - 1].Last + 1)
                union[union.Count - 1] = union[union.Count - 1] with { Last = Math.Max(union[union.Count - 1].Last, range.Last) };
            else
                union.Add(range);
        }
        return union;
    }

    private static bool IsInDoubt(long before, long after) =>
        before < 0 || after < 0 ? before >= 0 || after >= 0 : Math.Min(before, after) < Math.Abs(before - after);
}
