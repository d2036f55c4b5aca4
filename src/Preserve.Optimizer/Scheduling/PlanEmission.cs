using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Writes a finished graph down as a plan.</summary>
internal static class PlanEmission
{
    public static ExecutionPlan Emit(Graph graph, DeploymentSpec deployment, long roomBytes)
    {
        var nodes = new List<PlanNode>();
        var next = 0;
        foreach (var fold in graph.Folds)
        {
            nodes.AddRange(Instructions(next, fold.FirstOperator));
            next = fold.FirstOperator + fold.OperatorCount;
            nodes.Add(new Repeat(fold.Count, fold.FirstLayer, fold.Stride, Instructions(fold.FirstOperator, next).ToArray()));
        }
        nodes.AddRange(Instructions(next, graph.Operators.Count));
        return new ExecutionPlan(
            deployment.Model.Name, deployment.Device, graph.Ranks, graph.TotalLayers, graph.Step, deployment.Prefetch, roomBytes,
            graph.ArenaBytes, graph.Tensors.Select(t => t.ToDeclaration()).ToArray(), nodes.ToArray())
        {
            Batches = deployment.Offload.BatchesPerLayer,
        };

        IEnumerable<PlanNode> Instructions(int from, int to) => graph.Operators.Skip(from).Take(to - from).Select(Emit);
    }

    public static Instruction Emit(GraphOperator op) => new Instruction(
        op.Stream!.Value, op.Label, op.Operation, References(op.Reads), References(op.Writes), op.Waits.ToArray(), op.Signals);

    private static TensorReference[] References(List<GraphReference> references)
    {
        var plain = new TensorReference[references.Count];
        for (var i = 0; i < plain.Length; i++)
            plain[i] = references[i].ToReference();
        return plain;
    }
}
