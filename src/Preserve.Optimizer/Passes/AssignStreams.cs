using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Puts each operator on a stream and orders streams by events, as few as possible: an operator waits only for
/// what its stream does not already know to be done.</summary>
/// <remarks>Precondition: all operators stand, in program order. What a repeated run of layers takes over from before it is
/// waited for in front of the run, by a join, so that all its repeats are alike.</remarks>
internal sealed class AssignStreams : IPass
{
    public string Name => "assign streams";

    public bool Run(Graph graph)
    {
        var flow = DataFlow.Of(graph);
        var after = new List<int>();
        var clocks = new StreamClocks(graph.Operators.Count + graph.Runs.Count);
        var operators = new List<GraphOperator>(graph.Operators.Count + 1);
        var places = new int[graph.Operators.Count];
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var op = graph.Operators[i];
            if (BeginsRun(graph, i) is { } run)
                Join(run, i);
            op.Stream = StreamOf(op);
            places[i] = operators.Count;
            after.Clear();
            foreach (var producer in flow.Predecessors(i))
                after.Add(places[producer]);
            Append(op, after);
        }
        graph.Operators = operators;
        return true;

        void Append(GraphOperator op, List<int> after)
        {
            var missing = clocks.Missing(op.Stream!.Value, after);
            foreach (var place in missing)
            {
                op.Waits.Add(operators[place].Label);
                operators[place].Signals = true;
            }
            clocks.Append(op.Stream.Value, missing);
            operators.Add(op);
        }

        void Join(LayerRun run, int first)
        {
            var outside = new List<int>();
            for (var i = first; i < graph.Operators.Count && graph.Operators[i].Layer < run.EndLayer && graph.Operators[i].Layer >= 0; i++)
            {
                if (StreamOf(graph.Operators[i]) != StreamKind.Compute)
                    continue;
                foreach (var producer in flow.Predecessors(i))
                {
                    // A copy is waited for where it is needed: a run's first layer differs from the others by it anyway.
                    if (producer < first && !graph.Operators[producer].IsTransfer)
                        outside.Add(places[producer]);
                }
            }
            if (clocks.Missing(StreamKind.Compute, outside).Count > 0)
                Append(new GraphOperator("join", -1, new JoinOperation()) { Stream = StreamKind.Compute }, outside);
        }
    }

    private static LayerRun? BeginsRun(Graph graph, int index)
    {
        var layer = graph.Operators[index].Layer;
        if (layer < 0 || (index > 0 && graph.Operators[index - 1].Layer == layer))
            return null;
        var run = graph.RunOf(layer);
        return run.FirstLayer == layer && run.TotalRepeats > 1 ? run : null;
    }

    private static StreamKind StreamOf(GraphOperator op) => op.Operation switch
    {
        CollectiveOperation => StreamKind.Collective,
        PrefetchOperation => StreamKind.Prefetch,
        TransferOperation { Direction: TransferDirection.HostToDevice } => StreamKind.HostToDevice,
        TransferOperation => StreamKind.DeviceToHost,
        _ => StreamKind.Compute,
    };
}
