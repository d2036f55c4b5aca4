using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Makes one kernel of a reduction and what stands beside it: the matmul that gives its summands, or the residual addition and
/// the norm that take its sum.</summary>
/// <remarks>Precondition: collectives stand, each behind the operator whose value it exchanges. A value that only passed between the two
/// kernels is gone. A norm of another number of rows, as the last one of a prefill, keeps its own kernel, and so does the addition
/// before it.</remarks>
/// <param name="fusion">What is fused.</param>
internal sealed class FuseCollectives(CollectiveFusion fusion) : IPass
{
    public string Name => "fuse collectives";

    public bool Run(Graph graph)
    {
        var before = graph.Operators.Count;
        if (fusion == CollectiveFusion.MatMul)
            FuseMatMuls(graph);
        else if (fusion == CollectiveFusion.Norm)
            FuseNorms(graph);
        if (graph.Operators.Count == before)
            return false;
        var kept = new HashSet<GraphTensor>(graph.Operators.SelectMany(o => o.Reads.Concat(o.Writes)).Select(r => r.Tensor));
        graph.Remove(t => !kept.Contains(t));
        return true;
    }

    private static void FuseMatMuls(Graph graph)
    {
        var operators = new List<GraphOperator>(graph.Operators.Count);
        foreach (var op in graph.Operators)
        {
            if (op.Operation is CollectiveOperation { Kind: CollectiveKind.AllReduce or CollectiveKind.ReduceScatter } collective
                && operators[operators.Count - 1] is { Operation: MatMulOperation matMul } producer
                && producer.Writes[0].Equals(op.Reads[0]))
            {
                op.Operation = collective with { MatMul = matMul };
                op.Reads = producer.Reads;
                operators.RemoveAt(operators.Count - 1);
            }
            operators.Add(op);
        }
        graph.Operators = operators;
    }

    private static void FuseNorms(Graph graph)
    {
        var readers = new Dictionary<GraphReference, int>();
        foreach (var read in graph.Operators.SelectMany(o => o.Reads))
            readers[read] = (readers.TryGetValue(read, out var count) ? count : 0) + 1;
        var operators = new List<GraphOperator>(graph.Operators.Count);
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var op = graph.Operators[i];
            operators.Add(op);
            if (op.Operation is not CollectiveOperation { Kind: CollectiveKind.AllReduce } collective)
                continue;
            var sum = op.Writes[0];
            var next = i + 1;
            var add = next < graph.Operators.Count ? graph.Operators[next] : null;
            var adds = add is { Operation: ElementwiseOperation { Function: ElementwiseFunction.Add } } && add.Reads.Contains(sum) && readers[sum] == 1;
            if (adds)
                next++;
            var taken = adds ? add!.Writes[0] : sum;
            if (next >= graph.Operators.Count || graph.Operators[next] is not { Operation: NormOperation norm } normed
                || !normed.Reads.Contains(taken) || RowBytes(norm) != collective.Bytes)
            {
                continue;
            }
            op.Operation = collective with { Norm = new FusedNorm(norm.Norm, norm.Rows, norm.Width, adds) };
            if (adds)
                op.Reads.AddRange(add!.Reads.Where(r => !r.Equals(sum)));
            op.Reads.AddRange(normed.Reads.Where(r => !r.Equals(taken)));
            // The sum itself is written where someone else reads it: an addition's always is, as the residual stream.
            op.Writes = adds || readers[sum] > 1 ? [taken, .. normed.Writes] : normed.Writes;
            i = next;
        }
        graph.Operators = operators;
    }

    private static long RowBytes(NormOperation norm) => Precision.Bf16.Bytes((long)norm.Rows * norm.Width);
}
