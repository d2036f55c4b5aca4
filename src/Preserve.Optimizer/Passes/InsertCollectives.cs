using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Puts a collective behind each operator whose value a rank holds only in part but a later one needs whole: an
/// all-reduce for summands, an all-gather for the step's result.</summary>
/// <remarks>Precondition: distributions are set. A value is named <c>label_part</c> before its collective; readers keep the
/// name they read.</remarks>
internal sealed class InsertCollectives : IPass
{
    public string Name => "insert collectives";

    public bool Run(Graph graph)
    {
        if (graph.Ranks == 1)
            return false;
        var isRead = new HashSet<GraphReference>();
        var needsWhole = new HashSet<GraphReference>();
        foreach (var op in graph.Operators)
        {
            var keepsSummands = op is { Result: Distribution.Partial, Operation: ElementwiseOperation { Function: ElementwiseFunction.Add } };
            foreach (var read in op.Reads)
            {
                isRead.Add(read);
                if (!keepsSummands)
                    needsWhole.Add(read);
            }
        }

        var operators = new List<GraphOperator>(graph.Operators.Count + 16);
        foreach (var op in graph.Operators)
        {
            operators.Add(op);
            if (op.Writes.Count != 1 || op.Writes[0].Tensor.Role != TensorRole.Value)
                continue;
            if (op.Result == Distribution.Partial && needsWhole.Contains(op.Writes[0]))
                operators.Add(Collective(graph, op, CollectiveKind.AllReduce, "_reduce"));
            else if (op.Result == Distribution.Split && !isRead.Contains(op.Writes[0]))
                operators.Add(Collective(graph, op, CollectiveKind.AllGather, "_gather"));
        }
        graph.Operators = operators;
        return true;
    }

    private static GraphOperator Collective(Graph graph, GraphOperator op, CollectiveKind kind, string suffix)
    {
        var value = op.Writes[0].Tensor;
        var slash = value.Name.LastIndexOf('/');
        var prefix = value.Name.Substring(0, slash + 1);
        var partName = prefix + op.Label + "_part";
        var part = graph.Find(partName)
            ?? graph.InsertBefore(value, new GraphTensor(partName, TensorRole.Value, op.Layer >= 0, value.Format));
        var whole = op.Writes[0];
        var summand = new GraphReference(part, op.Layer >= 0 ? LayerIndex.Of(op.Layer) : LayerIndex.None);
        op.Writes[0] = summand;
        TensorSizes.Set(graph, op);

        var collective = new GraphOperator(op.Label + suffix, op.Layer, new CollectiveOperation(kind, part.Units.At(0), graph.Ranks))
        {
            Reads = [summand],
            Writes = [whole],
        };
        TensorSizes.Set(graph, collective);
        return collective;
    }
}
