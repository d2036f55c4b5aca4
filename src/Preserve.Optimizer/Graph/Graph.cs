using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>The operators of one rank in one step, in program order; the id of an operator is its index. Mutable, and seen
/// by the lowering and the passes only.</summary>
internal sealed class Graph(StepSpec step, int ranks)
{
    private readonly Dictionary<string, GraphTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<GraphTensor> _order = [];
    private int _declared;

    public StepSpec Step { get; } = step;

    public int Ranks { get; set; } = ranks;

    /// <summary>Which tensors may be prefetched.</summary>
    public PrefetchTargets Targets { get; init; }

    public List<GraphOperator> Operators { get; set; } = [];

    public List<LayerRun> Runs { get; } = [];

    /// <summary>Empty until repeats are rolled.</summary>
    public List<FoldedRun> Folds { get; } = [];

    /// <summary>The windows that prefetch was weighed for, in program order.</summary>
    public List<PrefetchWindow> Windows { get; } = [];

    /// <summary>Bytes of the arena; 0 until memory is planned.</summary>
    public long ArenaBytes { get; set; }

    /// <summary>The tensors, in order of appearance.</summary>
    public IReadOnlyList<GraphTensor> Tensors => _order;

    /// <summary>Layers in the graph.</summary>
    public int LayerCount => Runs.Count == 0 ? 0 : Runs[Runs.Count - 1].EndLayer;

    /// <summary>Layers in the model.</summary>
    public int TotalLayers => Runs.Sum(r => r.PatternLength * r.TotalRepeats);

    public GraphTensor this[string name] => _tensors[name];

    /// <summary>The tensor of a name, or null.</summary>
    public GraphTensor? Find(string name) => _tensors.TryGetValue(name, out var tensor) ? tensor : null;

    /// <summary>Whether it is a tensor of this graph.</summary>
    public bool Holds(GraphTensor tensor) => ReferenceEquals(tensor.Graph, this);

    public GraphTensor Add(GraphTensor tensor) => Insert(_order.Count, tensor);

    /// <summary>Puts a tensor beside another in the order of appearance.</summary>
    public GraphTensor InsertBefore(GraphTensor place, GraphTensor tensor) => Insert(_order.IndexOf(place), tensor);

    /// <summary>Puts a tensor behind another in the order of appearance.</summary>
    public GraphTensor InsertAfter(GraphTensor place, GraphTensor tensor) => Insert(_order.IndexOf(place) + 1, tensor);

    /// <summary>Removes tensors that no operator names any more.</summary>
    public void Remove(Predicate<GraphTensor> unnamed)
    {
        foreach (var tensor in _order.FindAll(unnamed))
        {
            _tensors.Remove(tensor.Name);
            tensor.BelongTo(null, 0);
        }
        _order.RemoveAll(unnamed);
    }

    /// <summary>A copy of the graph as it is before prefetches stand in it.</summary>
    public Graph Copy()
    {
        var copy = new Graph(Step, Ranks) { Targets = Targets };
        copy.Runs.AddRange(Runs);
        var copies = new GraphTensor[_declared];
        foreach (var tensor in _order)
            copies[tensor.Number] = copy.Add(tensor.Copy());
        copy.Operators.Capacity = Operators.Count;
        Converter<GraphReference, GraphReference> inCopy = reference => reference with { Tensor = copies[reference.Tensor.Number] };
        foreach (var op in Operators)
            copy.Operators.Add(op.Copy(op.Reads.ConvertAll(inCopy), op.Writes.ConvertAll(inCopy)));
        return copy;
    }

    private GraphTensor Insert(int place, GraphTensor tensor)
    {
        _tensors.Add(tensor.Name, tensor);
        _order.Insert(place, tensor);
        tensor.BelongTo(this, _declared++);
        return tensor;
    }

    /// <summary>The run that a layer of the graph belongs to.</summary>
    public LayerRun RunOf(int layer) => Runs.First(r => layer < r.EndLayer);
}
