using System;

namespace Preserve;

/// <summary>Shares resources so that no flow can get more without one that has no more than it getting less.</summary>
/// <remarks>Progressive filling (D. Bertsekas and R. Gallager, Data Networks, 1992, section 6.5.2): all rates rise together; a flow
/// stops at its cap, or when a resource that it draws on is used up. Sums run in the order of the flows, so that the same flows
/// give the same rates to the last bit.</remarks>
internal static class MaxMinFairness
{
    public const int ResourceCount = 6;

    /// <summary>Sets the rate of each listed flow.</summary>
    /// <param name="capacities">Capacity by resource; may be infinite.</param>
    /// <param name="flows">Indices of the flows that share, in <paramref name="draws"/>, <paramref name="caps"/> and <paramref name="rates"/>.</param>
    /// <param name="count">How many of <paramref name="flows"/> are listed.</param>
    /// <param name="draws">Resources that a flow draws on.</param>
    /// <param name="caps">Most that a flow can draw; finite, above 0.</param>
    /// <param name="rates">Receives the rates.</param>
    public static void Share(double[] capacities, int[] flows, int count, Resources[] draws, double[] caps, double[] rates)
    {
        var once = Resources.None;
        var twice = Resources.None;
        for (var i = 0; i < count; i++)
        {
            var flow = flows[i];
            twice |= once & draws[flow];
            once |= draws[flow];
            rates[flow] = -1;
        }
        for (var i = 0; i < count; i++)
        {
            var flow = flows[i];
            if ((draws[flow] & twice) == 0)
                rates[flow] = Math.Min(caps[flow], Least(capacities, draws[flow]));
        }
        if (twice != Resources.None)
            Fill(capacities, flows, count, draws, caps, rates);
    }

    /// <summary>Fills the flows whose rate is still negative.</summary>
    private static void Fill(double[] capacities, int[] flows, int count, Resources[] draws, double[] caps, double[] rates)
    {
        while (true)
        {
            var level = double.PositiveInfinity;
            for (var i = 0; i < count; i++)
            {
                if (rates[flows[i]] < 0)
                    level = Math.Min(level, caps[flows[i]]);
            }
            if (double.IsPositiveInfinity(level))
                return;
            var full = Resources.None;
            for (var r = 0; r < ResourceCount; r++)
            {
                var resource = (Resources)(1 << r);
                var left = capacities[r];
                var rising = 0;
                for (var i = 0; i < count; i++)
                {
                    var flow = flows[i];
                    if ((draws[flow] & resource) == 0)
                        continue;
                    if (rates[flow] < 0)
                        rising++;
                    else
                        left -= rates[flow];
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
                var flow = flows[i];
                if (rates[flow] < 0 && (caps[flow] <= level || (draws[flow] & full) != 0))
                    rates[flow] = level;
            }
        }
    }

    private static double Least(double[] capacities, Resources draws)
    {
        var least = double.PositiveInfinity;
        for (var r = 0; r < ResourceCount; r++)
        {
            if (((int)draws & (1 << r)) != 0)
                least = Math.Min(least, capacities[r]);
        }
        return least;
    }
}
