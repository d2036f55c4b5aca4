using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What can be checked without an order and at any context: declarations, layers, streams, memories, and that each layer is done once.</summary>
internal sealed class PlanStructure
{
    private readonly ExecutionPlan _plan;
    private readonly Dictionary<string, TensorDeclaration> _tensors = new(StringComparer.Ordinal);
    private readonly List<PlanFault> _faults = [];

    /// <summary>How often each weight and cache is read by what computes: by layer, or once for all.</summary>
    private readonly Dictionary<string, int[]> _uses = new(StringComparer.Ordinal);

    /// <summary>How often each batch reads each weight of no layer.</summary>
    private readonly Dictionary<string, int[]> _usesByBatch = new(StringComparer.Ordinal);

    /// <summary>Kinds of layers whose keys are rotated, and kinds that recompute keys, each with how.</summary>
    private readonly HashSet<string> _rotated = new(StringComparer.Ordinal);
    private readonly List<(string Kind, string Label, bool Rotates)> _recomputed = [];

    /// <summary>How often the new entries of each cache in host memory, and of the activations there, are stored, by layer.</summary>
    private readonly Dictionary<string, int[]> _stores = new(StringComparer.Ordinal);

    /// <summary>What writes each value: by layer, or once for all.</summary>
    private readonly Dictionary<string, Instruction?[]> _writers = new(StringComparer.Ordinal);

    /// <summary>What takes each cache, and the activations of each layer, to the host, with the layer of what it takes: of a repeat, in its first layers.</summary>
    private readonly Dictionary<(string Tensor, int Layer), (Instruction Copy, int Layer)> _saves = [];

    public PlanStructure(ExecutionPlan plan)
    {
        _plan = plan;
        Brought = new BroughtWeights(plan, _tensors);
    }

    /// <summary>The plan's tensors, by name; empty before the check.</summary>
    public IReadOnlyDictionary<string, TensorDeclaration> Tensors => _tensors;

    /// <summary>The weights that come from the host.</summary>
    public BroughtWeights Brought { get; }

    public IReadOnlyList<PlanFault> Check()
    {
        if (_plan.Batches < 1)
            Fault(PlanFaultKind.Layers, "", 0, $"serves {_plan.Batches} batches");
        CheckDeclarations();
        CheckNodes(_plan.Body, new Layers(0, 1, 0));
        CheckLayers();
        return _faults;
    }

    private void CheckDeclarations()
    {
        foreach (var tensor in _plan.Tensors)
        {
            if (_tensors.ContainsKey(tensor.Name))
                Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' is declared twice");
            _tensors[tensor.Name] = tensor;
            if (BatchNames.BatchOf(tensor.Name) >= _plan.Batches || (_plan.Batches == 1 && BatchNames.BatchOf(tensor.Name) >= 0))
                Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' is of a batch that is none of the {_plan.Batches}");
            if (tensor.OnHost && tensor.Offset >= 0)
                Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' lies in host memory and has a place in the arena");
        }
    }

    /// <param name="body">Nodes.</param>
    /// <param name="layers">The values that layer i takes here.</param>
    private void CheckNodes(EquatableArray<PlanNode> body, Layers layers)
    {
        foreach (var node in body)
        {
            if (node is Instruction instruction)
            {
                CheckInstruction(instruction, layers);
                continue;
            }
            var repeat = (Repeat)node;
            var last = repeat.FirstLayer + ((repeat.Count - 1L) * repeat.Stride);
            if (repeat.Count < 1 || repeat.FirstLayer < 0 || repeat.Stride < (repeat.Count == 1 ? 0 : 1) || last >= _plan.Layers)
            {
                Fault(PlanFaultKind.Layers, "", repeat.FirstLayer, $"a repeat of {repeat.Count} layers from {repeat.FirstLayer} by {repeat.Stride} is not within the {_plan.Layers} layers");
                continue;
            }
            CheckNodes(repeat.Body, new Layers(repeat.FirstLayer, repeat.Count, repeat.Stride));
        }
    }

    private void CheckInstruction(Instruction instruction, Layers layers)
    {
        // On one stream prefetches run in program order, and what may be outstanding at each can be counted.
        if (instruction.Operation is PrefetchOperation != (instruction.Stream == StreamKind.Prefetch))
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, "prefetches, and only they, run on the prefetch stream");
        var stream = instruction.Operation is TransferOperation copy ? StreamOf(copy.Direction) : (StreamKind?)null;
        if (stream is not null ? stream != instruction.Stream : instruction.Stream is StreamKind.HostToDevice or StreamKind.DeviceToHost)
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, "copies between host and device, and only they, run on the stream of their direction");
        foreach (var reference in instruction.Reads.Concat(instruction.Writes))
            CheckReference(instruction, reference, layers);
        if (_faults.Count == 0)
            CheckMemories(instruction, layers);
        foreach (var write in instruction.Writes)
        {
            if (_tensors.TryGetValue(write.Tensor, out var tensor) && tensor.Role is TensorRole.Weight or TensorRole.BlockTable)
                Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"writes the {(tensor.Role == TensorRole.Weight ? "weight" : "table")} '{write.Tensor}'");
        }
        if (_faults.Count == 0)
            CheckBlockTable(instruction, layers);
        CheckBatch(instruction, layers);
        if (_faults.Count > 0 || instruction.Operation is PrefetchOperation)
            return;
        if (instruction.Writes.Count > 0 && KindOf(instruction.Writes[0].Tensor) is var kind)
        {
            if (instruction.Operation is ElementwiseOperation { Function: ElementwiseFunction.Rotary })
                _rotated.Add(kind);
            else if (instruction.Operation is RecomputeOperation recompute)
                _recomputed.Add((kind, instruction.Label, recompute.Rotates));
        }
        // Which ranges of a weight are read is another question: they depend on the context.
        var resolved = Brought.Resolve(instruction, _plan.Step.MinContext);
        if ((Brought.Fault(instruction) ?? ForeignWeight(resolved)) is { } fault)
        {
            Fault(PlanFaultKind.Read, instruction.Label, layers.First, fault);
            return;
        }
        // One instruction may read a cache in several ranges.
        var counted = "";
        foreach (var read in resolved.Reads)
        {
            // Keys and values are made again with the weights that made them; a weight that is copied is not used by that.
            var again = instruction.Operation is RecomputeOperation or TransferOperation && _tensors[read.Tensor].Role == TensorRole.Weight;
            if (_tensors[read.Tensor].Role != TensorRole.Value && read.Tensor != counted && !again)
            {
                Count(_uses, read, layers);
                if (_tensors[read.Tensor] is { Role: TensorRole.Weight, PerLayer: false } && instruction.Writes.Count > 0)
                    CountOfBatch(read.Tensor, Math.Max(BatchNames.BatchOf(instruction.Writes[0].Tensor), 0), layers.Count);
            }
            counted = read.Tensor;
        }
        foreach (var write in instruction.Writes)
        {
            if (_tensors[write.Tensor].Role == TensorRole.Value)
            {
                NoteWriter(instruction, write, layers);
            }
            else if (_tensors[write.Tensor] is { Role: TensorRole.KeyValues or TensorRole.Activations, OnHost: true })
            {
                Count(_stores, write, layers);
                _saves[(write.Tensor, write.Layer.Resolve(layers.First))] = (instruction, instruction.Reads[0].Layer.Resolve(layers.First));
            }
        }
    }

    /// <summary>Weights belong to the layer whose values they are applied to. A collective may hand on what the next layer's norm makes of it.</summary>
    private string? ForeignWeight(Instruction instruction)
    {
        if (instruction.Operation is TransferOperation or RecomputeOperation)
            return null;
        foreach (var weight in instruction.Reads.Where(r => _tensors[r.Tensor] is { Role: TensorRole.Weight, PerLayer: true }))
        {
            var layers = instruction.Reads.Where(r => _tensors[r.Tensor] is { Role: TensorRole.Value, PerLayer: true }).Select(r => r.Layer);
            if (instruction.Operation is CollectiveOperation ? !layers.Concat(instruction.Writes.Select(w => w.Layer)).Contains(weight.Layer) : layers.Any(l => l != weight.Layer))
                return $"reads '{weight.Tensor}' of another layer than what it is applied to";
        }
        return null;
    }

    /// <summary>Batches have nothing to do with each other: an instruction touches what one of them has of its own, and what belongs to all.</summary>
    private void CheckBatch(Instruction instruction, Layers layers)
    {
        var batches = instruction.Reads.Concat(instruction.Writes).Select(r => BatchNames.BatchOf(r.Tensor)).Where(b => b >= 0).Distinct().ToList();
        if (batches.Count > 1)
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"touches what is of batch {batches[0]} and of batch {batches[1]}");
    }

    /// <summary>Who touches what lies in blocks reads where they are, once.</summary>
    private void CheckBlockTable(Instruction instruction, Layers layers)
    {
        var paged = instruction.Reads.Concat(instruction.Writes).FirstOrDefault(r => _tensors[r.Tensor].BlockUnits > 0);
        var tables = instruction.Reads.Count(r => _tensors[r.Tensor].Role == TensorRole.BlockTable);
        if (paged is not null && tables != 1)
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"touches '{paged.Tensor}', which lies in blocks, and reads {(tables == 0 ? "no table" : "more than one table")} of them");
        else if (paged is null && tables > 0)
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, "reads a table of blocks and touches nothing that lies in blocks");
    }

    /// <summary>Only a copy touches host memory: one end of it.</summary>
    private void CheckMemories(Instruction instruction, Layers layers)
    {
        if (instruction.Operation is not TransferOperation copy)
        {
            if (instruction.Reads.Concat(instruction.Writes).FirstOrDefault(r => _tensors[r.Tensor].OnHost) is { } far)
                Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"touches '{far.Tensor}', which lies in host memory");
            return;
        }
        var (host, device) = copy.Direction == TransferDirection.HostToDevice ? (instruction.Reads, instruction.Writes) : (instruction.Writes, instruction.Reads);
        var memory = copy.Pinned ? TensorMemory.PinnedHost : TensorMemory.PageableHost;
        if (host.FirstOrDefault(r => _tensors[r.Tensor].Memory != memory) is { } near)
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"'{near.Tensor}' is not in {(copy.Pinned ? "pinned" : "pageable")} memory of the host");
        if (device.FirstOrDefault(r => _tensors[r.Tensor].OnHost) is { } away)
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"'{away.Tensor}' is not in memory of the device");
        if (host.Concat(device).Where(r => _tensors[r.Tensor].PerLayer).Select(r => r.Layer).Distinct().Count() > 1)
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"copies '{instruction.Reads[0].Tensor}' of another layer than that of '{instruction.Writes[0].Tensor}'");
    }

    private static StreamKind StreamOf(TransferDirection direction) =>
        direction == TransferDirection.HostToDevice ? StreamKind.HostToDevice : StreamKind.DeviceToHost;

    private void CheckReference(Instruction instruction, TensorReference reference, Layers layers)
    {
        if (!_tensors.TryGetValue(reference.Tensor, out var tensor))
        {
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"'{reference.Tensor}' is not declared");
            return;
        }
        if (tensor.PerLayer == (reference.Layer.Kind == LayerIndexKind.None))
        {
            Fault(PlanFaultKind.Reference, instruction.Label, layers.First, $"'{reference.Tensor}' {(tensor.PerLayer ? "names no layer" : "belongs to no layer")}");
            return;
        }
        // The value that enters a layer carries that layer's number, and the last layer hands one on.
        var end = tensor.Role == TensorRole.Value ? _plan.Layers + 1 : _plan.Layers;
        foreach (var layer in new[] { layers.First, layers.Last })
        {
            var resolved = reference.Layer.Resolve(layer);
            if (tensor.PerLayer && (resolved < 0 || resolved >= end))
                Fault(PlanFaultKind.Reference, instruction.Label, layer, $"'{reference.Tensor}' of layer {resolved} does not exist: there are {_plan.Layers} layers");
        }
    }

    private void Count(Dictionary<string, int[]> all, TensorReference reference, Layers layers)
    {
        if (!all.TryGetValue(reference.Tensor, out var counts))
            all.Add(reference.Tensor, counts = new int[_tensors[reference.Tensor].PerLayer ? _plan.Layers : 1]);
        if (!_tensors[reference.Tensor].PerLayer)
        {
            counts[0] += layers.Count;
            return;
        }
        for (var i = 0; i < layers.Count; i++)
            counts[reference.Layer.Resolve(layers.First + (i * layers.Stride))]++;
    }

    private void CountOfBatch(string weight, int batch, int times)
    {
        if (!_usesByBatch.TryGetValue(weight, out var counts))
            _usesByBatch.Add(weight, counts = new int[_plan.Batches]);
        counts[batch] += times;
    }

    /// <summary>A value has one writer; the same instruction twice computes the same.</summary>
    private void NoteWriter(Instruction instruction, TensorReference write, Layers layers)
    {
        var perLayer = _tensors[write.Tensor].PerLayer;
        if (!_writers.TryGetValue(write.Tensor, out var writers))
            _writers.Add(write.Tensor, writers = new Instruction?[perLayer ? _plan.Layers + 1 : 1]);
        for (var i = 0; i < layers.Count; i++)
        {
            var layer = perLayer ? write.Layer.Resolve(layers.First + (i * layers.Stride)) : 0;
            if (writers[layer] is { } other && !(other.Operation.Equals(instruction.Operation) && other.Reads.Equals(instruction.Reads)))
            {
                Fault(PlanFaultKind.Layers, instruction.Label, layer, $"writes '{write.Tensor}' of layer {layer}, which '{other.Label}' writes");
                return;
            }
            writers[layer] = instruction;
        }
    }

    /// <summary>No weight is left unread, each layer has one cache for each batch, read by one attention, and reads each
    /// weight of the cache's kind of layer once for each batch, and none of another kind.</summary>
    private void CheckLayers()
    {
        if (_faults.Count > 0)
            return;
        var kinds = KindsOf(0);
        for (var batch = 1; batch < _plan.Batches; batch++)
        {
            if (!KindsOf(batch).SequenceEqual(kinds))
                Fault(PlanFaultKind.Layers, "", 0, $"batch {batch} passes through other layers than batch 0");
        }
        CheckTensors(kinds);
        if (_plan.Step is PrefillSpec)
            CheckStoredActivations();
    }

    private void CheckStoredActivations()
    {
        var stored = new StoredActivations(_tensors, WriterOf);
        foreach (var save in _saves.Where(s => _tensors[s.Key.Tensor].Role == TensorRole.Activations))
        {
            var ((tensor, layer), (copy, at)) = (save.Key, save.Value);
            var cache = KindOf(tensor) + "kv" + BatchNames.SuffixOf(tensor);
            if (!_saves.TryGetValue((cache, layer), out var keyValues))
                Fault(PlanFaultKind.Read, copy.Label, layer, $"stores '{tensor}' of layer {layer}, whose keys and values are not stored");
            else if (stored.Fault(copy.Reads[0].Tensor, keyValues.Copy.Reads[0].Tensor, at) is { } fault)
                Fault(PlanFaultKind.Read, copy.Label, layer, fault);
        }
    }

    private (Instruction Writer, int RepeatLayer)? WriterOf(string value, int layer)
    {
        if (!_writers.TryGetValue(value, out var writers) || writers[_tensors[value].PerLayer ? layer : 0] is not { } writer)
            return null;
        var write = writer.Writes.First(w => w.Tensor == value).Layer;
        return (writer, write.Kind == LayerIndexKind.Relative ? layer - write.Value : layer);
    }

    /// <summary>The kind of each layer, by the cache that a batch has there.</summary>
    private string?[] KindsOf(int batch)
    {
        var kinds = new string?[_plan.Layers];
        var hasCache = false;
        foreach (var tensor in _plan.Tensors)
        {
            if (tensor is not { Role: TensorRole.KeyValues, PerLayer: true } || Math.Max(BatchNames.BatchOf(tensor.Name), 0) != batch)
                continue;
            hasCache = true;
            for (var layer = 0; layer < kinds.Length; layer++)
            {
                // A prefill, or a layer that sees no cached token, brings nothing from the host: what it stores there says that it is its layer.
                var times = Math.Max(CountOf(_uses, tensor, layer), CountOf(_stores, tensor, layer));
                if (times > 1 || (times == 1 && kinds[layer] is not null))
                    Fault(PlanFaultKind.Layers, "", layer, $"layer {layer} attends to a KV-cache more than once");
                if (times > 0)
                    kinds[layer] = KindOf(tensor.Name);
            }
        }
        for (var layer = 0; hasCache && layer < kinds.Length; layer++)
        {
            if (kinds[layer] is null)
                Fault(PlanFaultKind.Layers, "", layer, $"layer {layer} attends to no KV-cache");
        }
        return kinds;
    }

    private void CheckTensors(string?[] kinds)
    {
        var hasCache = _plan.Tensors.Any(t => t.Role == TensorRole.KeyValues);
        foreach (var (kind, label, rotates) in _recomputed)
        {
            if (rotates != _rotated.Contains(kind))
                Fault(PlanFaultKind.Layers, label, 0, $"makes keys again that are {(rotates ? "rotated" : "not rotated")}, unlike those of its kind of layer");
        }
        foreach (var tensor in _plan.Tensors)
        {
            if (tensor.Role == TensorRole.Value && !_writers.ContainsKey(tensor.Name))
                Fault(PlanFaultKind.Layers, "", 0, $"nothing writes '{tensor.Name}'");
            else if (tensor.Role == TensorRole.Weight && !tensor.PerLayer && CountOf(_uses, tensor, 0) == 0)
                Fault(PlanFaultKind.Layers, "", 0, $"nothing reads the weight '{tensor.Name}'");
            else if (_usesByBatch.TryGetValue(tensor.Name, out var times) && times.Any(t => t != times[0]))
                Fault(PlanFaultKind.Layers, "", 0, $"batches read the weight '{tensor.Name}' {string.Join(" and ", times)} times");
            else if (tensor.Role == TensorRole.Weight && tensor.PerLayer && hasCache)
                CheckInItsLayers(tensor, kinds, _uses, "read", _plan.Batches);
            else if (tensor.Role == TensorRole.Activations && _plan.Step is PrefillSpec)
                CheckInItsLayers(tensor, kinds, _stores, "stored", 1);
        }
    }

    private void CheckInItsLayers(TensorDeclaration tensor, string?[] kinds, Dictionary<string, int[]> counts, string done, int timesInThem)
    {
        var kind = KindOf(tensor.Name);
        for (var layer = 0; layer < kinds.Length; layer++)
        {
            var wanted = kinds[layer] == kind ? timesInThem : 0;
            if (CountOf(counts, tensor, layer) is var times && times != wanted)
                Fault(PlanFaultKind.Layers, "", layer, $"'{tensor.Name}' of layer {layer} is {done} {times} times, and not {wanted}");
        }
    }

    private static int CountOf(Dictionary<string, int[]> counts, TensorDeclaration tensor, int layer) => counts.TryGetValue(tensor.Name, out var byLayer) ? byLayer[layer] : 0;

    /// <summary>The kind of layers that a tensor belongs to, as its name begins; empty where there is one kind.</summary>
    public static string KindOf(string name) => name.Substring(0, name.LastIndexOf('/') + 1);

    private void Fault(PlanFaultKind kind, string label, int layer, string message) => _faults.Add(new PlanFault(kind, label, layer, _plan.Step.MinContext, message));

    /// <summary>The values that layer i takes at a place of the plan.</summary>
    private sealed class Layers(int first, int count, int stride)
    {
        public int First { get; } = first;

        public int Count { get; } = count;

        public int Stride { get; } = stride;

        public int Last => First + ((Count - 1) * Stride);
    }
}
