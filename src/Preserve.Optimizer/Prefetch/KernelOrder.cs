using System;

namespace Preserve.Optimizer;

/// <summary>Kernels run in order, on one stream: who waits for one waits for all before it.</summary>
internal static class KernelOrder
{
    /// <summary>The last kernel that has ended whenever an operator begins, or -1, for each operator. What runs beside an operator begins when it
    /// may.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="flow">Its edges.</param>
    public static int[] LastDone(Graph graph, DataFlow flow)
    {
        var done = new int[graph.Operators.Count];
        var kernel = -1;
        for (var i = 0; i < done.Length; i++)
        {
            done[i] = graph.Operators[i].IsKernel ? kernel : -1;
            foreach (var producer in flow.Predecessors(i))
                done[i] = Math.Max(done[i], graph.Operators[producer].IsKernel ? producer : done[producer]);
            if (graph.Operators[i].IsKernel)
                kernel = i;
        }
        return done;
    }
}
