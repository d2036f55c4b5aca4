using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Which operators a prefetch under a collective may read ahead for: those after it and before the next one.</summary>
/// <remarks>A reduce-scatter and the all-gather behind it are the halves of one all-reduce, and a prefetch that begins under the first
/// goes on under the second: the first reaches past the second, and nothing is left to it. The step's last collective reaches from the
/// first one of the next step.</remarks>
internal static class WindowReach
{
    /// <summary>Operators behind a collective, nearest first.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="flow">Its edges.</param>
    /// <param name="collectives">Indices of its collectives, ascending.</param>
    /// <param name="at">Which of them.</param>
    public static List<int> Of(Graph graph, DataFlow flow, List<int> collectives, int at)
    {
        if (at > 0 && HasSecondHalf(graph, collectives, at - 1))
            return [];
        var first = FirstOf(collectives, at);
        return Between(graph, flow, collectives, first, first + (HasSecondHalf(graph, collectives, first) ? 2 : 1));
    }

    /// <summary>Operators behind a collective and before the next one, whatever both are halves of; behind the step's last, those of the
    /// next step's first.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="flow">Its edges.</param>
    /// <param name="collectives">Indices of its collectives, ascending.</param>
    /// <param name="at">Which of them.</param>
    public static List<int> UntilNext(Graph graph, DataFlow flow, List<int> collectives, int at)
    {
        var first = FirstOf(collectives, at);
        return Between(graph, flow, collectives, first, first + 1);
    }

    private static int FirstOf(List<int> collectives, int at) => at + 1 == collectives.Count ? 0 : at;

    private static List<int> Between(Graph graph, DataFlow flow, List<int> collectives, int first, int next)
    {
        var start = collectives[first];
        var end = next < collectives.Count ? collectives[next] : collectives.Count == 1 ? start : graph.Operators.Count;
        // A matmul that shares the next collective's kernel reads its weight before anything is exchanged.
        var last = end < graph.Operators.Count && graph.Operators[end].Operation is CollectiveOperation { MatMul: not null } ? end : end - 1;
        return BreadthFirst.From(flow, start, v => v <= last);
    }

    /// <summary>Whether a collective is a reduce-scatter and the next one the all-gather that ends what it begins.</summary>
    public static bool HasSecondHalf(Graph graph, List<int> collectives, int at)
    {
        return Is(CollectiveKind.ReduceScatter, at) && Is(CollectiveKind.AllGather, at + 1);

        bool Is(CollectiveKind kind, int index) =>
            index < collectives.Count && graph.Operators[collectives[index]].Operation is CollectiveOperation collective && collective.Kind == kind;
    }
}
