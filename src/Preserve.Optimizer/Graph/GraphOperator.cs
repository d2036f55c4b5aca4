using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>An operator of the graph: what an instruction will do, before and while it is decided where and when.</summary>
internal sealed class GraphOperator(string label, int layer, Operation operation)
{
    public string Label { get; } = label;

    /// <summary>The layer it belongs to, or -1 before the first and after the last.</summary>
    public int Layer { get; set; } = layer;

    /// <summary>The batch that it computes, of those that a layer serves one after the other; 0 where there is one.</summary>
    public int Batch { get; init; }

    public Operation Operation { get; set; } = operation;

    public Partition Partition { get; set; } = Partition.None;

    /// <summary>How what it writes lies over the ranks.</summary>
    public Distribution Result { get; set; }

    public List<GraphReference> Reads { get; set; } = [];

    public List<GraphReference> Writes { get; set; } = [];

    /// <summary>The collective beside which a prefetch runs.</summary>
    public GraphOperator? Window { get; set; }

    /// <summary>Null until streams are assigned.</summary>
    public StreamKind? Stream { get; set; }

    public List<string> Waits { get; } = [];

    public bool Signals { get; set; }

    /// <summary>The same operator for another graph, before prefetches and streams are assigned.</summary>
    /// <param name="reads">What it reads there.</param>
    /// <param name="writes">What it writes there.</param>
    public GraphOperator Copy(List<GraphReference> reads, List<GraphReference> writes) =>
        new(Label, Layer, Operation) { Batch = Batch, Partition = Partition, Result = Result, Reads = reads, Writes = writes };

    public bool IsCollective => Operation is CollectiveOperation;

    public bool IsPrefetch => Operation is PrefetchOperation;

    public bool IsTransfer => Operation is TransferOperation;

    /// <summary>Whether it runs on the device's processors, by itself.</summary>
    public bool IsKernel => !IsCollective && !IsPrefetch && !IsTransfer;
}
