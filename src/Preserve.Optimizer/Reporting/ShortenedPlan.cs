using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>A plan with fewer repeats of its bodies: what windows are timed on, so that the time this takes does not grow with
/// the depth of the stack. After a few iterations each is like the one before, so its last is like the whole plan's last.</summary>
internal static class ShortenedPlan
{
    /// <summary>Iterations that are kept of a body, with which a 192 MiB L2 is filled several times over by a layer of
    /// 100 MB.</summary>
    public const int MostIterations = 8;

    /// <summary>Keeps at most <see cref="MostIterations"/> of each repeat, and counts the layers behind them anew.</summary>
    public static ExecutionPlan Of(ExecutionPlan plan)
    {
        var removed = new List<(int End, int Layers)>();
        var nodes = new List<PlanNode>();
        foreach (var node in plan.Body)
        {
            if (node is Repeat repeat)
            {
                var count = Math.Min(repeat.Count, MostIterations);
                nodes.Add(repeat with { Count = count, FirstLayer = Renumber(repeat.FirstLayer) });
                removed.Add((repeat.FirstLayer + (repeat.Count * repeat.Stride), (repeat.Count - count) * repeat.Stride));
            }
            else
            {
                var instruction = (Instruction)node;
                nodes.Add(instruction with { Reads = References(instruction.Reads), Writes = References(instruction.Writes) });
            }
        }
        return plan with { Body = nodes.ToArray(), Layers = plan.Layers - removed.Sum(r => r.Layers) };

        EquatableArray<TensorReference> References(EquatableArray<TensorReference> references) => references
            .Select(r => r.Layer.Kind == LayerIndexKind.Absolute ? r with { Layer = LayerIndex.Of(Renumber(r.Layer.Value)) } : r).ToArray();

        int Renumber(int layer) => layer - removed.Where(r => layer >= r.End).Sum(r => r.Layers);
    }
}
