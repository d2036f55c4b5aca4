using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What can be checked without an order: declarations, layers, ranges, the arena, and that each layer is done once.</summary>
internal sealed class PlanStructure
{
    private readonly ExecutionPlan _plan;
    private readonly int _context;
    private readonly Dictionary<string, TensorDeclaration> _tensors = new(StringComparer.Ordinal);
    private readonly List<PlanFault> _faults = [];

    /// <summary>How often each layer's weights and cache are read by what computes.</summary>
    private readonly Dictionary<string, int[]> _reads = new(StringComparer.Ordinal);

    private PlanStructure(ExecutionPlan plan, int context)
    {
        _plan = plan;
        _context = context;
    }

    public static List<PlanFault> Check(ExecutionPlan plan, int context)
    {
        var structure = new PlanStructure(plan, context);
        structure.CheckDeclarations();
        structure.CheckNodes(plan.Body, [0]);
        structure.CheckLayers();
        return structure._faults;
    }

    private void CheckDeclarations()
    {
        foreach (var tensor in _plan.Tensors)
        {
            if (_tensors.ContainsKey(tensor.Name))
                Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' is declared twice");
            _tensors[tensor.Name] = tensor;
            var bytes = tensor.Bytes.At(_context);
            if (bytes < 0)
                Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' has {bytes} bytes");
            if (tensor.Role == TensorRole.Value && (tensor.Offset < 0 || tensor.Offset + bytes > _plan.ArenaBytes))
                Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' at {tensor.Offset} with {bytes} bytes is not within the arena's {_plan.ArenaBytes}");
        }
    }

    /// <param name="body">Nodes.</param>
    /// <param name="layers">Every value that layer i takes here.</param>
    private void CheckNodes(EquatableArray<PlanNode> body, int[] layers)
    {
        foreach (var node in body)
        {
            if (node is Instruction instruction)
            {
                CheckInstruction(instruction, layers);
                continue;
            }
            var repeat = (Repeat)node;
            CheckNodes(repeat.Body, Enumerable.Range(0, repeat.Count).Select(i => repeat.FirstLayer + (i * repeat.Stride)).ToArray());
        }
    }

    private void CheckInstruction(Instruction instruction, int[] layers)
    {
        // On one stream prefetches run in program order, and what may be outstanding at each can be counted.
        if (instruction.Operation is PrefetchOperation != (instruction.Stream == StreamKind.Prefetch))
            Fault(PlanFaultKind.Reference, instruction.Label, layers[0], "prefetches, and only they, run on the prefetch stream");
        foreach (var reference in instruction.Reads.Concat(instruction.Writes))
            CheckReference(instruction, reference, layers);
        foreach (var write in instruction.Writes)
        {
            if (_tensors.TryGetValue(write.Tensor, out var tensor) && tensor.Role == TensorRole.Weight)
                Fault(PlanFaultKind.Reference, instruction.Label, layers[0], $"writes the weight '{write.Tensor}'");
        }
        if (instruction.Operation is PrefetchOperation)
            return;
        foreach (var name in instruction.Reads.Select(r => r.Tensor).Distinct())
        {
            if (_faults.Count == 0 && _tensors[name] is { PerLayer: true, Role: not TensorRole.Value })
                CountReads(instruction.Reads.First(r => r.Tensor == name), layers);
        }
    }

    private void CheckReference(Instruction instruction, TensorReference reference, int[] layers)
    {
        if (!_tensors.TryGetValue(reference.Tensor, out var tensor))
        {
            Fault(PlanFaultKind.Reference, instruction.Label, layers[0], $"'{reference.Tensor}' is not declared");
            return;
        }
        if (tensor.PerLayer == (reference.Layer.Kind == LayerIndexKind.None))
        {
            Fault(PlanFaultKind.Reference, instruction.Label, layers[0], $"'{reference.Tensor}' {(tensor.PerLayer ? "names no layer" : "belongs to no layer")}");
            return;
        }
        // The value that enters a layer carries that layer's number, and the last layer hands one on.
        var end = tensor.Role == TensorRole.Value ? _plan.Layers + 1 : _plan.Layers;
        foreach (var layer in new[] { layers[0], layers[layers.Length - 1] })
        {
            var resolved = reference.Layer.Resolve(layer);
            if (tensor.PerLayer && (resolved < 0 || resolved >= end))
                Fault(PlanFaultKind.Reference, instruction.Label, layer, $"'{reference.Tensor}' of layer {resolved} does not exist: there are {_plan.Layers} layers");
        }
        if (reference.Range is { } range)
        {
            var (from, to, units) = (range.Begin.At(_context), range.End.At(_context), tensor.Units.At(_context));
            if (from < 0 || to < from || to > units)
                Fault(PlanFaultKind.Reference, instruction.Label, layers[0], $"[{from}, {to}) is not a range of the {units} units of '{reference.Tensor}'");
        }
    }

    private void CountReads(TensorReference reference, int[] layers)
    {
        if (!_reads.TryGetValue(reference.Tensor, out var counts))
            _reads.Add(reference.Tensor, counts = new int[_plan.Layers]);
        foreach (var layer in layers)
            counts[reference.Layer.Resolve(layer)]++;
    }

    /// <summary>Each layer has one KV-cache, read by one attention, and no layer's weight is read twice.</summary>
    private void CheckLayers()
    {
        if (_faults.Count > 0)
            return;
        var attended = new int[_plan.Layers];
        foreach (var (name, counts) in _reads.Select(r => (r.Key, r.Value)))
        {
            for (var layer = 0; layer < counts.Length; layer++)
            {
                if (_tensors[name].Role == TensorRole.KeyValues)
                    attended[layer] += counts[layer];
                else if (counts[layer] > 1)
                    Fault(PlanFaultKind.Layers, "", layer, $"'{name}' of layer {layer} is read {counts[layer]} times");
            }
        }
        if (!_tensors.Values.Any(t => t.Role == TensorRole.KeyValues))
            return;
        for (var layer = 0; layer < attended.Length; layer++)
        {
            if (attended[layer] != 1)
                Fault(PlanFaultKind.Layers, "", layer, $"the KV-cache of layer {layer} is attended to {attended[layer]} times");
        }
    }

    private void Fault(PlanFaultKind kind, string label, int layer, string message) => _faults.Add(new PlanFault(kind, label, layer, _context, message));
}
