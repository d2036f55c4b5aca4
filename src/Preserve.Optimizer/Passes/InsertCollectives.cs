using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Puts a collective wherever a rank holds a value in another way than a later operator needs it: an all-reduce for summands,
/// an all-gather for the step's result. With sequence parallelism a reduce-scatter for summands, and an all-gather before what reads
/// all tokens (Megatron-LM, arXiv 2205.05198, figure 5).</summary>
/// <remarks>Precondition: distributions are set. A value is named <c>label_part</c> before a collective behind its operator, and
/// readers keep the name they read; one that is gathered for some readers only is <c>name_whole</c> to them.</remarks>
internal sealed class InsertCollectives : IPass
{
    public string Name => "insert collectives";

    public bool Run(Graph graph)
    {
        if (graph.Ranks == 1)
            return false;
        var isRead = new HashSet<GraphReference>();
        var needsSum = new HashSet<GraphReference>();
        var needsWhole = new HashSet<GraphReference>();
        foreach (var op in graph.Operators)
        {
            var keepsSummands = op is { Result: Distribution.Partial, Operation: ElementwiseOperation { Function: ElementwiseFunction.Add } };
            foreach (var read in op.Reads)
            {
                isRead.Add(read);
                if (!keepsSummands)
                    needsSum.Add(read);
                if (op.Result != Distribution.Scattered)
                    needsWhole.Add(read);
            }
        }

        var operators = new List<GraphOperator>(graph.Operators.Count + 16);
        var scattered = new HashSet<GraphReference>();
        var gathered = new Dictionary<GraphReference, GraphReference>();
        foreach (var op in graph.Operators)
        {
            for (var i = 0; i < op.Reads.Count; i++)
            {
                if (op.Result != Distribution.Scattered && scattered.Contains(op.Reads[i]))
                    op.Reads[i] = Gather(graph, op.Reads[i], op, operators, gathered);
            }
            operators.Add(op);
            if (op.Writes.Count != 1 || op.Writes[0].Tensor.Role != TensorRole.Value)
                continue;
            var value = op.Writes[0];
            if (op.Result == Distribution.Scattered)
                scattered.Add(value);
            else if (op.Result == Distribution.Partial && needsWhole.Contains(value) && needsSum.Contains(value))
                operators.Add(Behind(graph, op, CollectiveKind.AllReduce, "_reduce"));
            else if (op.Result == Distribution.Partial && needsSum.Contains(value))
                operators.Add(Behind(graph, op, CollectiveKind.ReduceScatter, "_scatter"));
            else if (op.Result == Distribution.Split && !isRead.Contains(value))
                operators.Add(Behind(graph, op, CollectiveKind.AllGather, "_gather"));
        }
        graph.Operators = operators;
        return true;
    }

    private static GraphOperator Behind(Graph graph, GraphOperator op, CollectiveKind kind, string suffix)
    {
        var value = op.Writes[0].Tensor;
        var slash = value.Name.LastIndexOf('/');
        var prefix = value.Name.Substring(0, slash + 1);
        var partName = prefix + op.Label + "_part" + BatchNames.SuffixOf(value.Name);
        var part = graph.Find(partName)
            ?? graph.InsertBefore(value, new GraphTensor(partName, TensorRole.Value, op.Layer >= 0, value.Format));
        var whole = op.Writes[0];
        var summand = new GraphReference(part, LayerOf(op.Layer));
        op.Writes[0] = summand;
        TensorSizes.Set(graph, op);
        return Collective(graph, op.Label + suffix, op, kind, summand, whole);
    }

    /// <summary>The value that the first reader which needs all of it has gathered; those after it read the same.</summary>
    private static GraphReference Gather(
        Graph graph, GraphReference share, GraphOperator reader, List<GraphOperator> operators, Dictionary<GraphReference, GraphReference> gathered)
    {
        if (gathered.TryGetValue(share, out var known))
            return known;
        var value = share.Tensor;
        var name = BatchNames.Append(value.Name, "_whole");
        var tensor = graph.Find(name) ?? graph.InsertAfter(value, new GraphTensor(name, TensorRole.Value, reader.Layer >= 0, value.Format));
        var whole = new GraphReference(tensor, LayerOf(reader.Layer));
        gathered.Add(share, whole);
        var label = BatchNames.Without(value.Name.Substring(value.Name.LastIndexOf('/') + 1)) + "_gather";
        operators.Add(Collective(graph, label, reader, CollectiveKind.AllGather, share, whole));
        return whole;
    }

    private static GraphOperator Collective(Graph graph, string label, GraphOperator beside, CollectiveKind kind, GraphReference read, GraphReference write)
    {
        var collective = new GraphOperator(label, beside.Layer, new CollectiveOperation(kind, read.Tensor.Units.At(0), graph.Ranks))
        {
            Batch = beside.Batch,
            Result = kind == CollectiveKind.ReduceScatter ? Distribution.Scattered : Distribution.Whole,
            Reads = [read],
            Writes = [write],
        };
        TensorSizes.Set(graph, collective);
        return collective;
    }

    private static LayerIndex LayerOf(int layer) => layer >= 0 ? LayerIndex.Of(layer) : LayerIndex.None;
}
