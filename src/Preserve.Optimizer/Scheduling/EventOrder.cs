using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Reads the order between operators off the events that were assigned.</summary>
internal static class EventOrder
{
    /// <summary>The clocks of a graph with streams. A wait means the last operator of its label that signals, above.</summary>
    public static StreamClocks Of(Graph graph)
    {
        var clocks = new StreamClocks(graph.Operators.Count);
        var last = new Dictionary<string, int>(graph.Operators.Count, StringComparer.Ordinal);
        var waits = new List<int>();
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var op = graph.Operators[i];
            waits.Clear();
            foreach (var label in op.Waits)
                waits.Add(last[label]);
            clocks.Append(op.Stream!.Value, waits);
            if (op.Signals)
                last[op.Label] = i;
        }
        return clocks;
    }
}
