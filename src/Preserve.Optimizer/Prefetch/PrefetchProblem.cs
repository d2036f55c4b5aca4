using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What can be chosen in a graph: a length for each part of each tensor, and how much of the L2 the parts hold together.</summary>
internal sealed class PrefetchProblem
{
    private readonly Dictionary<(string Tensor, PrefetchReach Reach), int> _indices = [];
    private readonly int[][] _siblings;

    /// <summary>The problem of a graph before prefetches stand in it.</summary>
    /// <param name="graph">The graph, its collectives in place.</param>
    /// <param name="flow">Its edges.</param>
    /// <param name="windows">Its windows, with a choice wherever one can be made.</param>
    public PrefetchProblem(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        var context = graph.Step.MaxContext;
        var groups = new Dictionary<string, PrefetchGroup>(StringComparer.Ordinal);
        foreach (var window in windows)
        {
            var parts = window.Candidates.Where(c => c.Chosen is not null).Select(c => IndexOf(c, context)).ToArray();
            var key = window.Host.Label + ":" + string.Join(",", parts);
            if (groups.TryGetValue(key, out var group))
                group.Times++;
            else if (parts.Length > 0)
                groups.Add(key, new PrefetchGroup(window.Host, parts) { IdleOperators = IdleOperators(graph, window) });
        }
        Groups = groups.Values.OrderByDescending(g => g.Times).ToList();
        Rooms = RoomsOf(graph, flow, windows);
        _siblings = Parts.Select(p => Enumerable.Range(0, Parts.Count).Where(o => Parts[o].Tensor == p.Tensor).ToArray()).ToArray();
    }

    /// <summary>What is chosen: how many units of a tensor are prefetched at a reach.</summary>
    public List<PrefetchPart> Parts { get; } = [];

    /// <summary>The windows that differ in what they can prefetch; those that occur most often first.</summary>
    public List<PrefetchGroup> Groups { get; }

    /// <summary>Parts that are in the L2 together: their bytes may not exceed the room.</summary>
    public List<int[]> Rooms { get; }

    /// <summary>The part that a candidate's choice is, or -1 where none can be made.</summary>
    public int Find(PrefetchCandidate candidate) =>
        candidate.Considered && _indices.TryGetValue((candidate.Tensor.Tensor.Name, candidate.Reach), out var index) ? index : -1;

    /// <summary>The parts of the tensor that a part is of, itself among them.</summary>
    public int[] SiblingsOf(int part) => _siblings[part];

    /// <summary>Units of a part's tensor that the other parts of it leave.</summary>
    /// <param name="part">The part.</param>
    /// <param name="units">Length of each part.</param>
    public long UnitsLeft(int part, long[] units)
    {
        var left = Parts[part].Units;
        foreach (var sibling in _siblings[part])
            left -= sibling == part ? 0 : units[sibling];
        return left;
    }

    /// <summary>Bytes of a part's tensor in all its parts.</summary>
    /// <param name="part">One of them.</param>
    /// <param name="units">Length of each part.</param>
    public long TensorBytes(int part, long[] units) => _siblings[part].Sum(s => units[s] * Parts[s].UnitBytes);

    private int IndexOf(PrefetchCandidate candidate, int context)
    {
        var tensor = candidate.Tensor.Tensor;
        if (_indices.TryGetValue((tensor.Name, candidate.Reach), out var index))
            return index;
        Parts.Add(new PrefetchPart(
            tensor.Name, candidate.Reach, candidate.Whole.End.At(context), tensor.UnitBytes, TileOf(candidate.Operator.Operation, tensor), candidate.Operator));
        _indices.Add((tensor.Name, candidate.Reach), Parts.Count - 1);
        return Parts.Count - 1;
    }

    /// <summary>Units of the pieces in which a kernel takes a tensor: tiles of 64 columns of a weight, 64 cached tokens or the whole blocks
    /// that hold them.</summary>
    private static long TileOf(Operation reader, GraphTensor tensor) => reader switch
    {
        MatMulOperation matMul => Math.Max(1, tensor.Format.Bytes(64L * matMul.Depth)),
        CollectiveOperation { MatMul: { } matMul } => Math.Max(1, tensor.Format.Bytes(64L * matMul.Depth)),
        _ => tensor.BlockUnits == 0 ? 64 : ((63 / tensor.BlockUnits) + 1) * tensor.BlockUnits,
    };

    /// <summary>The operators from a window's host to the reader of its first candidate, those two among them.</summary>
    private static List<GraphOperator> IdleOperators(Graph graph, PrefetchWindow window)
    {
        var host = graph.Operators.IndexOf(window.Host);
        var reader = window.Candidates.First(c => c.Chosen is not null).Reader;
        return reader <= host ? [window.Host] : graph.Operators.GetRange(host, reader - host + 1);
    }

    /// <summary>What the L2 holds, prefetched and not yet known to be read, when each window's prefetches begin.</summary>
    private List<int[]> RoomsOf(Graph graph, DataFlow flow, List<PrefetchWindow> windows)
    {
        var places = new Dictionary<GraphOperator, int>();
        for (var i = 0; i < graph.Operators.Count; i++)
            places.Add(graph.Operators[i], i);

        var done = KernelOrder.LastDone(graph, flow);
        var rooms = new List<int[]>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var held = new List<(GraphReference Tensor, int Part, int Reader)>();
        // What the step before prefetched for this one's first readers stands in the L2 when it begins.
        foreach (var window in windows)
            Add(window, nextStep: true);
        foreach (var window in windows)
        {
            Add(window, nextStep: false);
            // What a window before knew to be done does not count: nothing may be chosen there, and then no prefetch waits for it.
            var known = done[places[window.Host]];
            var parts = held.Where(h => h.Reader < 0 || h.Reader > known).Select(h => h.Part).OrderBy(p => p).ToArray();
            if (parts.Length > 0 && seen.Add(string.Join(",", parts)))
                rooms.Add(parts);
        }
        return rooms;

        void Add(PrefetchWindow window, bool nextStep)
        {
            foreach (var candidate in window.Candidates)
            {
                var wraps = candidate.Reader <= places[window.Host];
                if (candidate.Chosen is null || (nextStep && !wraps))
                    continue;
                var part = _indices[(candidate.Tensor.Tensor.Name, candidate.Reach)];
                var reader = wraps && !nextStep ? -1 : candidate.Reader;
                if (!held.Any(h => h.Part == part && h.Reader == reader && h.Tensor.Equals(candidate.Tensor)))
                    held.Add((candidate.Tensor, part, reader));
            }
        }
    }
}

/// <summary>A part of a tensor that can be prefetched.</summary>
/// <param name="Tensor">The tensor's name.</param>
/// <param name="Reach">How far ahead of its reader.</param>
/// <param name="Units">Units of the whole tensor, at the largest context.</param>
/// <param name="UnitBytes">Bytes per unit.</param>
/// <param name="Tile">Units of the pieces in which its reader takes it.</param>
/// <param name="Reader">What reads it.</param>
internal sealed record PrefetchPart(string Tensor, PrefetchReach Reach, long Units, long UnitBytes, long Tile, GraphOperator Reader)
{
    /// <summary>Bytes of the whole tensor.</summary>
    public long Bytes => Units * UnitBytes;

    /// <summary>The nearest number of units that ends at a tile's border or the tensor's, and is no more.</summary>
    public long Align(long units) => units >= Units ? Units : units / Tile * Tile;
}

/// <summary>Windows with the same host and the same parts.</summary>
/// <param name="host">The operator that they run beside.</param>
/// <param name="parts">Indices of what they can prefetch, in the order in which it is needed.</param>
internal sealed class PrefetchGroup(GraphOperator host, int[] parts)
{
    public GraphOperator Host { get; } = host;

    public int[] Parts { get; } = parts;

    /// <summary>The operators from the host to the first reader, those two among them: while they wait, memory idles.</summary>
    public List<GraphOperator> IdleOperators { get; set; } = [];

    /// <summary>How many such windows the graph has.</summary>
    public int Times { get; set; } = 1;

    /// <summary>Bytes that memory can bring from the start of the host until the first reader reads: while the collective runs, then while
    /// kernels without weights run, and through the fixed cost of the reader.</summary>
    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="context">The context.</param>
    public long BytesWhileIdle(ICostLaws laws, int context)
    {
        var idle = 0.0;
        foreach (var op in IdleOperators)
        {
            // A kernel that hosts a window moves bytes of its own.
            if (op == Host && !Host.IsCollective)
                continue;
            var demand = laws.Demand(op.Operation, context, 0, 0);
            idle += op.Operation is MatMulOperation or AttentionOperation ? demand.FixedPicoseconds : KernelTime.Picoseconds(demand, 0, 0);
        }
        return (long)(idle * laws.HbmBytesPerPicosecond);
    }
}
