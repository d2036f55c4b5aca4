using System;

namespace Preserve;

/// <summary>Shares resources so that no flow can get more without one that has no more than it getting less.</summary>
/// <remarks>Progressive filling (D. Bertsekas and R. Gallager, Data Networks, 1992, section 6.5.2): all rates rise together; a flow
/// stops at its cap, or when a resource that it draws on is used up. Sums run in the order of the flows, so that the same flows
/// give the same rates to the last bit.</remarks>
internal static class MaxMinFairness
{
    public const int ResourceCount = 7;
    private const double Rising = -1;

    /// <summary>Sets the rate of each flow.</summary>
    /// <param name="capacities">Capacity by resource; may be infinite.</param>
    /// <param name="flows">The flows that share, with what they draw, their caps, and what they draw alone.</param>
    /// <param name="count">How many there are.</param>
    /// <returns>The resources that they draw on.</returns>
    public static Resources Share(double[] capacities, Flow[] flows, int count)
    {
        var once = Resources.None;
        var twice = Resources.None;
        for (var i = 0; i < count; i++)
        {
            ref var flow = ref flows[i];
            twice |= once & flow.Draws;
            once |= flow.Draws;
            flow.Rate = flow.AloneRate;
        }
        if (twice != Resources.None)
            Fill(capacities, flows, count, twice);
        return once;
    }

    /// <summary>The smallest capacity among resources; infinite for none.</summary>
    public static double Least(double[] capacities, Resources resources)
    {
        var least = double.PositiveInfinity;
        for (var (r, left) = (0, (int)resources); left != 0; r++, left >>= 1)
        {
            if ((left & 1) != 0)
                least = Math.Min(least, capacities[r]);
        }
        return least;
    }

    /// <summary>Fills the flows that share a resource.</summary>
    private static void Fill(double[] capacities, Flow[] flows, int count, Resources shared)
    {
        var (sharing, first, last) = (0, -1, -1);
        for (var i = 0; i < count; i++)
        {
            ref var flow = ref flows[i];
            if ((flow.Draws & shared) == 0)
                continue;
            sharing++;
            (first, last) = (first < 0 ? i : first, i);
            flow.Rate = Rising;
            // A resource that nobody else draws on is one more cap.
            flow.SharedCap = Math.Min(flow.Cap, Least(capacities, flow.Draws & ~shared));
        }
        if (sharing == 2)
            FillTwo(Least(capacities, shared), ref flows[first], ref flows[last]);
        else
            FillAll(capacities, flows, count, shared);
    }

    /// <summary>Fills two flows that share one capacity: of several resources the smallest is used up first.</summary>
    private static void FillTwo(double capacity, ref Flow one, ref Flow other)
    {
        var half = Math.Max(capacity, 0) / 2;
        ref var slower = ref one.SharedCap <= other.SharedCap ? ref one : ref other;
        ref var faster = ref one.SharedCap <= other.SharedCap ? ref other : ref one;
        slower.Rate = Math.Min(slower.SharedCap, half);
        faster.Rate = half <= slower.SharedCap ? half : Math.Min(faster.SharedCap, Math.Max(capacity - slower.Rate, 0));
    }

    /// <summary>Fills any number of flows, all of whose rates still rise.</summary>
    private static void FillAll(double[] capacities, Flow[] flows, int count, Resources shared)
    {
        while (true)
        {
            var level = double.PositiveInfinity;
            for (var i = 0; i < count; i++)
            {
                if (flows[i].Rate < 0)
                    level = Math.Min(level, flows[i].SharedCap);
            }
            if (double.IsPositiveInfinity(level))
                return;
            var full = Resources.None;
            for (var (r, rest) = (0, (int)shared); rest != 0; r++, rest >>= 1)
            {
                if ((rest & 1) == 0)
                    continue;
                var resource = (Resources)(1 << r);
                var left = capacities[r];
                var rising = 0;
                for (var i = 0; i < count; i++)
                {
                    ref var flow = ref flows[i];
                    if ((flow.Draws & resource) == 0)
                        continue;
                    if (flow.Rate < 0)
                        rising++;
                    else
                        left -= flow.Rate;
                }
                if (rising == 0)
                    continue;
                var share = Math.Max(left, 0) / rising;
                if (share < level)
                {
                    level = share;
                    full = resource;
                }
                else if (share == level)
                {
                    full |= resource;
                }
            }
            for (var i = 0; i < count; i++)
            {
                ref var flow = ref flows[i];
                if (flow.Rate < 0 && ((flow.Draws & full) != 0 || flow.SharedCap <= level))
                    flow.Rate = level;
            }
        }
    }
}
