using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Replaces alike repeats of a run of layers by one of them and a count. The repeats that the graph leaves out are
/// like those: after the first few the state that the passes carry from layer to layer has recurred.</summary>
/// <remarks>Precondition: streams and memory are planned. Afterwards layers are counted as the model counts, and those of
/// a folded repeat relative to it. Leaves the graph as it is where a run has repeats left out and no two alike to stand for
/// them: the planner then lowers more.</remarks>
internal sealed class RollRepeats : IPass
{
    public string Name => "roll repeats";

    public bool Run(Graph graph)
    {
        var bounds = graph.Runs.Select(run => Bounds(graph, run)).ToList();
        var windows = graph.Windows.ToDictionary(w => w.Host);
        var alike = graph.Runs.Select((run, r) => FindAlike(graph, windows, run, bounds[r])).ToList();
        if (graph.Runs.Where((run, i) => run.OmittedLayers > 0 && alike[i] is null).Any())
            return false;

        var map = new LayerMap(graph.Runs, alike);
        var operators = new List<GraphOperator>();
        var place = 0;
        for (var r = 0; r < graph.Runs.Count; r++)
        {
            if (alike[r] is not { } same)
                continue;
            var run = graph.Runs[r];
            var (begin, end) = (bounds[r][same.First], bounds[r][same.First + 1]);
            Keep(place, begin);
            graph.Folds.Add(new FoldedRun(
                operators.Count,
                end - begin,
                same.Last - same.First + 1 + run.TotalRepeats - run.Repeats,
                map.ModelLayer(run.FirstLayer + (same.First * run.PatternLength), run.FirstLayer),
                run.PatternLength));
            for (var i = begin; i < end; i++)
            {
                var op = graph.Operators[i];
                MakeRelative(op, run.FirstLayer + (same.First * run.PatternLength));
                op.Layer = map.ModelLayer(op.Layer, op.Layer);
                operators.Add(op);
            }
            place = bounds[r][same.Last + 1];
        }
        Keep(place, graph.Operators.Count);
        graph.Operators = operators;
        graph.Windows.RemoveAll(w => !operators.Contains(w.Host));
        return graph.Folds.Count > 0;

        void Keep(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                var op = graph.Operators[i];
                op.Reads = op.Reads.ConvertAll(r => map.ModelReference(r, op.Layer));
                op.Writes = op.Writes.ConvertAll(w => map.ModelReference(w, op.Layer));
                op.Layer = op.Layer < 0 ? -1 : map.ModelLayer(op.Layer, op.Layer);
                operators.Add(op);
            }
        }
    }

    /// <summary>Where each repeat of the run begins among the operators, and where the last ends.</summary>
    private static int[] Bounds(Graph graph, LayerRun run)
    {
        var bounds = new int[run.Repeats + 1];
        var repeat = 0;
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var layer = graph.Operators[i].Layer;
            if (layer < run.FirstLayer || layer >= run.EndLayer)
                continue;
            for (var now = (layer - run.FirstLayer) / run.PatternLength; repeat <= now; repeat++)
                bounds[repeat] = i;
            bounds[run.Repeats] = i + 1;
        }
        return bounds;
    }

    /// <summary>The first and last repeat of the longest row of alike ones, or null where no two neighbours are.</summary>
    private static (int First, int Last)? FindAlike(Graph graph, Dictionary<GraphOperator, PrefetchWindow> windows, LayerRun run, int[] bounds)
    {
        (int First, int Last)? longest = null;
        for (var first = 0; first < run.Repeats;)
        {
            var last = first;
            while (last + 1 < run.Repeats && AreAlike(graph, windows, run, bounds, last, last + 1))
                last++;
            if (last > first && (longest is null || last - first > longest.Value.Last - longest.Value.First))
                longest = (first, last);
            first = last + 1;
        }
        return longest;
    }

    private static bool AreAlike(Graph graph, Dictionary<GraphOperator, PrefetchWindow> windows, LayerRun run, int[] bounds, int left, int right)
    {
        var count = bounds[left + 1] - bounds[left];
        if (bounds[right + 1] - bounds[right] != count)
            return false;
        var distance = (right - left) * run.PatternLength;
        for (var i = 0; i < count; i++)
        {
            var (a, b) = (graph.Operators[bounds[left] + i], graph.Operators[bounds[right] + i]);
            if (!AreAlike(a, b, distance) || !OfferTheSame(windows, a, b))
                return false;
        }
        return true;
    }

    /// <summary>Whether the windows of two operators, if any, have the same candidates, which are counted from their hosts' layers. A plan
    /// then has one shape whether it prefetches or not, and the report tells of every window that differs.</summary>
    private static bool OfferTheSame(Dictionary<GraphOperator, PrefetchWindow> windows, GraphOperator left, GraphOperator right)
    {
        if (!windows.TryGetValue(left, out var a) || !windows.TryGetValue(right, out var b))
            return windows.ContainsKey(left) == windows.ContainsKey(right);
        return AreAlike(a.Candidates.ConvertAll(c => c.Tensor), b.Candidates.ConvertAll(c => c.Tensor), 0);
    }

    private static bool AreAlike(GraphOperator left, GraphOperator right, int distance) =>
        left.Label == right.Label
        && left.Stream == right.Stream
        && left.Signals == right.Signals
        && left.Operation.Equals(right.Operation)
        && left.Waits.SequenceEqual(right.Waits)
        && AreAlike(left.Reads, right.Reads, distance)
        && AreAlike(left.Writes, right.Writes, distance);

    private static bool AreAlike(List<GraphReference> left, List<GraphReference> right, int distance)
    {
        if (left.Count != right.Count)
            return false;
        for (var i = 0; i < left.Count; i++)
        {
            var (a, b) = (left[i], right[i]);
            var layer = a.Layer.Kind == LayerIndexKind.Absolute ? LayerIndex.Of(a.Layer.Value + distance) : a.Layer;
            if (a.Tensor != b.Tensor || layer != b.Layer || !Equals(a.Range, b.Range))
                return false;
        }
        return true;
    }

    private static void MakeRelative(GraphOperator op, int layer)
    {
        op.Reads = op.Reads.ConvertAll(Relative);
        op.Writes = op.Writes.ConvertAll(Relative);

        GraphReference Relative(GraphReference r) =>
            r.Layer.Kind == LayerIndexKind.None ? r : r with { Layer = LayerIndex.FromRepeat(r.Layer.Value - layer) };
    }

    /// <summary>From the graph's count of layers, in which repeats are left out of the alike rows, to the model's.</summary>
    private sealed class LayerMap(List<LayerRun> runs, List<(int First, int Last)?> alike)
    {
        public GraphReference ModelReference(GraphReference reference, int reader) =>
            reference.Layer.Kind == LayerIndexKind.None ? reference : reference with { Layer = LayerIndex.Of(ModelLayer(reference.Layer.Value, reader)) };

        /// <summary>The model's layer. A layer of an alike row is its first repeat's for who stands before it or outside of
        /// the layers, and its last repeat's for who stands behind.</summary>
        public int ModelLayer(int layer, int reader)
        {
            var omitted = 0;
            for (var r = 0; r < runs.Count; r++)
            {
                var run = runs[r];
                if (layer >= run.EndLayer)
                {
                    omitted += run.OmittedLayers;
                    continue;
                }
                if (layer < run.FirstLayer || alike[r] is not { } same)
                    break;
                var repeat = (layer - run.FirstLayer) / run.PatternLength;
                var readerIsBehind = reader >= run.FirstLayer + ((same.Last + 1) * run.PatternLength);
                if (repeat > same.Last || (repeat >= same.First && readerIsBehind))
                    omitted += run.OmittedLayers;
                break;
            }
            return layer + omitted;
        }
    }
}
