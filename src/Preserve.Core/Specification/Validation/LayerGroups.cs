using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>The canonical form of a stack of layers, so that two declarations of the same stack are equal values.</summary>
public static class LayerGroups
{
    /// <summary>Shortens each pattern to the part that it repeats, and merges neighbours of the same pattern.</summary>
    /// <param name="stack">The runs of layers, in order, with repeats of 1 or more.</param>
    public static EquatableArray<LayerGroup> Canonical(IEnumerable<LayerGroup> stack)
    {
        if (stack is null)
            throw new ArgumentNullException(nameof(stack));
        var groups = new List<LayerGroup>();
        foreach (var group in stack)
        {
            var period = PeriodOf(group.Pattern);
            var shortest = new LayerGroup(group.Pattern.Take(period).ToArray(), checked(group.Repeat * (group.Pattern.Count / period)));
            if (groups.Count > 0 && groups[groups.Count - 1] is var last && last.Pattern == shortest.Pattern)
                groups[groups.Count - 1] = last with { Repeat = checked(last.Repeat + shortest.Repeat) };
            else
                groups.Add(shortest);
        }
        return groups.ToArray();
    }

    /// <summary>The length of the shortest part whose repetition is the pattern.</summary>
    private static int PeriodOf(EquatableArray<LayerSpec> pattern)
    {
        for (var period = 1; period < pattern.Count; period++)
        {
            if (pattern.Count % period == 0 && Enumerable.Range(period, pattern.Count - period).All(i => pattern[i].Equals(pattern[i - period])))
                return period;
        }
        return Math.Max(pattern.Count, 1);
    }
}
