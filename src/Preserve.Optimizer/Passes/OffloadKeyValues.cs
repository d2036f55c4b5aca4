using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Moves the KV-cache to host memory. A decode step brings each layer's entries while the layer before runs, or, for the first
/// tokens, the activations that their keys and values are made from again (KVPR, arXiv 2411.17089); new entries go back. A prefill stores
/// the cache and, of the tokens that a later step recomputes, the activations.</summary>
/// <remarks>
/// <para>Precondition: operators are divided over the ranks, and of each run of layers a repeat has an even number, so that what is brought
/// for neighbouring layers lies in two buffers in turn. Where layers serve several batches, the turns are those of the batches, and "the layer
/// before" is the batch before, of the same layer or of the one before it.</para>
/// <para>The copy for a layer stands at the beginning of the layer before it, and those of neighbouring turns have labels of their own: a
/// wait means the last signal above, which is then that of the layer's own copy and not of the next.</para>
/// </remarks>
/// <param name="split">Tokens of each sequence that are recomputed; of a prefill, those whose activations are stored.</param>
/// <param name="offload">In which format activations are stored, and whether the weights come from the host too: keys and values are then made
/// again before all else of the layer, as soon as their part of the projection is there.</param>
internal sealed class OffloadKeyValues(CacheSplit split, OffloadSpec offload) : IPass
{
    public string Name => "offload key-values";

    public bool Run(Graph graph)
    {
        var own = graph.Operators.ToLookup(o => (o.Layer, o.Batch));
        var layers = graph.Operators.Where(o => o.Operation is AttentionOperation).Select(o => new AttendedLayer(graph, o, own[(o.Layer, o.Batch)].ToList(), this)).ToList();
        var batches = offload.BatchesPerLayer;
        var copies = new List<GraphOperator>[graph.LayerCount * batches];
        var behind = new Dictionary<GraphOperator, List<GraphOperator>>();
        var before = new Dictionary<GraphOperator, List<GraphOperator>>();
        foreach (var layer in layers)
        {
            copies[layer.Turn] = graph.Step is DecodeSpec ? layer.Load() : [];
            behind.Add(layer.Store, layer.Save());
            before.Add(offload.Weights == Home.Host ? layer.First : layer.Attention, layer.Recompute());
            layer.Attend();
        }

        var operators = new List<GraphOperator>(graph.Operators.Count + (6 * layers.Count));
        if (split.Ahead)
            operators.AddRange(copies[0]);
        var last = -1;
        foreach (var op in graph.Operators)
        {
            // A layer's copies run while the layer before it does: they are that one's operators.
            var turn = op.Layer < 0 ? -1 : (op.Layer * batches) + op.Batch;
            if (turn > last)
            {
                last = turn;
                var brought = split.Ahead ? last + 1 : last;
                if (brought < copies.Length)
                    operators.AddRange(copies[brought]);
            }
            if (before.TryGetValue(op, out var made))
                operators.AddRange(made);
            operators.Add(op);
            if (behind.TryGetValue(op, out var saved))
                operators.AddRange(saved);
        }
        graph.Operators = operators;
        return true;
    }

    /// <summary>One layer's attention, with the cache that it reads.</summary>
    private sealed class AttendedLayer
    {
        private readonly Graph _graph;
        private readonly List<GraphOperator> _own;
        private readonly OffloadKeyValues _pass;
        private readonly AttentionOperation _operation;
        private readonly GraphTensor _cache;
        private readonly string _prefix;
        private readonly int _batches;
        private readonly string _suffix;
        private readonly Amount _cached;
        private readonly Amount _recomputed;
        private readonly GraphReference _fresh;
        private readonly GraphTensor _new;
        private readonly List<GraphOperator> _projections;

        /// <param name="graph">The graph.</param>
        /// <param name="attention">The layer's attention.</param>
        /// <param name="own">The layer's operators, of the attention's batch.</param>
        /// <param name="pass">The pass.</param>
        public AttendedLayer(Graph graph, GraphOperator attention, List<GraphOperator> own, OffloadKeyValues pass)
        {
            (_graph, _own, _pass, Attention, Index) = (graph, own, pass, attention, attention.Layer);
            (_batches, _suffix) = (pass.Batches, BatchNames.Suffix(attention.Batch, pass.Batches));
            _operation = (AttentionOperation)attention.Operation;
            var entries = attention.Reads.Where(r => r.Tensor.Role == TensorRole.KeyValues).ToList();
            _fresh = entries[entries.Count - 1];
            _cache = _fresh.Tensor;
            _cache.Memory = TensorMemory.PinnedHost;
            _prefix = _cache.Name.Substring(0, _cache.Name.LastIndexOf('/') + 1);
            _cached = _fresh.Range!.Begin;
            // A sliding window drops the first tokens, and those alone could be recomputed from the prompt.
            _recomputed = graph.Step is PrefillSpec || _cached == Amount.Context ? pass.Split.Of(_prefix) : 0;
            Store = own.Single(o => o.Writes.Contains(_fresh));
            _projections = Projections();
            _new = Value("kv_new", _cache.Format);
            _new.Units = _fresh.Range.Length * _cache.UnitBytes;
        }

        public int Index { get; }

        public GraphOperator Attention { get; }

        /// <summary>The layer's first operator.</summary>
        public GraphOperator First => _own[0];

        /// <summary>Its place among all layers' batches, in the order in which they are computed.</summary>
        public int Turn => (Index * _batches) + Attention.Batch;

        /// <summary>The operator that stores the new entries.</summary>
        public GraphOperator Store { get; }

        /// <summary>Brings what the cache holds from earlier steps.</summary>
        public List<GraphOperator> Load()
        {
            var copies = new List<GraphOperator>();
            if (!_recomputed.IsZero)
            {
                var activations = Activations();
                copies.Add(Copy(
                    "load_x", TransferDirection.HostToDevice,
                    new GraphReference(activations, LayerIndex.Of(Index), new UnitRange(0, _recomputed)), At(Buffer(Brought, _pass.Stored, _recomputed * activations.UnitBytes))));
            }
            if (HasOthers)
            {
                copies.Add(Copy(
                    "load_kv", TransferDirection.HostToDevice,
                    _fresh with { Range = new UnitRange(_recomputed, _cached) }, At(Buffer("kv_past", _cache.Format, Others * _cache.UnitBytes))));
            }
            return copies;
        }

        /// <summary>Takes the new entries to the host and, of a prompt, the activations that they were made from.</summary>
        public List<GraphOperator> Save()
        {
            Store.Writes[Store.Writes.IndexOf(_fresh)] = At(_new);
            var copies = new List<GraphOperator>();
            if (_graph.Step is PrefillSpec prefill && (int)Math.Min(_recomputed.At(0), prefill.Tokens) is > 0 and var tokens)
            {
                var input = _projections[0].Reads[0];
                // A prompt's rows stand sequence by sequence, what is stored token by token, so that the first tokens of all sequences are one
                // piece. Of several sequences, stored in part, by the ranks together or in another format, it is laid out so first.
                if (prefill.Batch > 1 || tokens < prefill.Tokens || Gathers || _pass.Stored != input.Tensor.Format)
                {
                    var laidOut = Value("x_new", _pass.Stored);
                    laidOut.Units = checked(tokens * Activations().UnitBytes);
                    copies.Add(new GraphOperator("store_x", Index, new ElementwiseOperation(ElementwiseFunction.Store, checked(prefill.Batch * tokens), StoredWidth))
                    {
                        Batch = Attention.Batch,
                        Reads = [input],
                        Writes = [At(laidOut)],
                    });
                    input = At(laidOut);
                }
                copies.Add(Copy(
                    "save_x", TransferDirection.DeviceToHost, input,
                    new GraphReference(Activations(), LayerIndex.Of(Index), new UnitRange(0, tokens))));
            }
            copies.Add(Copy("save_kv", TransferDirection.DeviceToHost, At(_new), _fresh));
            return copies;
        }

        /// <summary>Makes the first tokens' keys and values again.</summary>
        public List<GraphOperator> Recompute()
        {
            if (_graph.Step is PrefillSpec || _recomputed.IsZero)
                return [];
            var projection = (MatMulOperation)_projections[0].Operation;
            var activations = At(_graph[BufferName(Brought)]);
            var operators = new List<GraphOperator>();
            if (Gathers)
            {
                var gathered = Value("x_whole", _pass.Stored);
                gathered.Units = activations.Tensor.Units * _graph.Ranks;
                operators.Add(new GraphOperator("gather_x", Index, new CollectiveOperation(CollectiveKind.AllGather, activations.Tensor.Units.At(_graph.Step.MaxContext), _graph.Ranks))
                {
                    Batch = Attention.Batch,
                    Result = Distribution.Whole,
                    Reads = [activations],
                    Writes = [At(gathered)],
                });
                activations = At(gathered);
            }
            var reads = new List<GraphReference> { activations };
            foreach (var op in _projections)
                reads.AddRange(op.Reads.Skip(1).Select(w => KeyValuePart(w, op)));
            var norm = _graph.Find(_prefix + "k_norm_weight");
            if (norm is not null)
                reads.Add(At(norm));
            var result = Value("kv_remade", _cache.Format);
            result.Units = _recomputed * _cache.UnitBytes;
            operators.Add(
                new GraphOperator("recompute", Index, new RecomputeOperation(
                    _operation.Sequences, _recomputed, _operation.KeyValueHeads, _operation.HeadSize, projection.Depth, projection.Weights, projection.Activations,
                    Rotates: _own.Any(o => o.Operation is ElementwiseOperation { Function: ElementwiseFunction.Rotary }),
                    Normalises: norm is not null))
                {
                    Batch = Attention.Batch,
                    Result = Distribution.Split,
                    Reads = reads,
                    Writes = [At(result)],
                });
            return operators;
        }

        /// <summary>Lets the attention read what was brought, made again and computed in this step.</summary>
        public void Attend()
        {
            var reads = Attention.Reads.Where(r => r.Tensor != _cache).ToList();
            if (_graph.Step is DecodeSpec)
            {
                if (!_recomputed.IsZero)
                    reads.Add(At(_graph[_prefix + "kv_remade" + _suffix]));
                if (HasOthers)
                    reads.Add(At(_graph[BufferName("kv_past")]));
            }
            reads.Add(At(_new));
            Attention.Reads = reads;
        }

        /// <summary>The matmuls that make keys and values from the same input.</summary>
        private List<GraphOperator> Projections()
        {
            var labels = new[] { "qkv", "k", "v" };
            return _own.Where(o => labels.Contains(o.Label) && o.Operation is MatMulOperation).ToList();
        }

        /// <summary>Of a weight or bias of all projections the part of keys and values, which stands behind that of the queries.</summary>
        private GraphReference KeyValuePart(GraphReference weight, GraphOperator projection)
        {
            if (projection.Label != "qkv")
                return weight;
            var units = weight.Tensor.Units.At(0);
            var columns = ((MatMulOperation)projection.Operation).Columns;
            var queries = units / columns * (columns - (2L * _operation.KeyValueHeads * _operation.HeadSize));
            return weight with { Range = new UnitRange(queries, units) };
        }

        /// <summary>Cached tokens whose keys and values are transferred.</summary>
        private Amount Others => _cached - _recomputed;

        /// <summary>Whether there are any: a window may hold the new token alone, and all of a prompt may be recomputed before the first decode step.</summary>
        private bool HasOthers => Others.Most(_graph.Step.MinContext, _graph.Step.MaxContext) > 0;

        /// <summary>Whether each rank brings its part of the activations, and all gather them.</summary>
        private bool Gathers => _pass.Split.Activations == ActivationTransfer.Gathered;

        private string Brought => Gathers ? "x_part" : "x_past";

        /// <summary>Columns of the activations that a rank stores.</summary>
        private int StoredWidth => ((MatMulOperation)_projections[0].Operation).Depth / (Gathers ? _graph.Ranks : 1);

        private GraphTensor Activations()
        {
            var name = _prefix + "x" + _suffix;
            return _graph.Find(name) ?? _graph.Add(new GraphTensor(name, TensorRole.Activations, perLayer: true, _pass.Stored)
            {
                Units = _recomputed.Most(_graph.Step.MinContext, _graph.Step.MaxContext),
                UnitBytes = checked(_graph.Step.Batch * _pass.Stored.CachedBytes(StoredWidth)),
                Memory = TensorMemory.PinnedHost,
            });
        }

        private GraphTensor Buffer(string name, Precision format, Amount bytes)
        {
            var buffer = Named(BufferName(name), format);
            buffer.Units = bytes;
            return buffer;
        }

        /// <summary>A batch has buffers of its own name, and they lie where those of the batch two before did; so do those of layers where there is one
        /// batch.</summary>
        private string BufferName(string name) => _prefix + name + (_batches == 1 ? InTurn : _suffix);

        /// <summary>Neighbours differ: even and odd layers, or batches, of an odd number of which the last is neighbour to both.</summary>
        private string InTurn => _batches == 1
            ? Index % 2 == 0 ? "_even" : "_odd"
            : Attention.Batch == _batches - 1 && _batches % 2 == 1 ? "_last" : Attention.Batch % 2 == 0 ? "_even" : "_odd";

        private GraphTensor Value(string name, Precision format) => Named(_prefix + name + _suffix, format);

        private GraphTensor Named(string name, Precision format) =>
            _graph.Find(name) ?? _graph.Add(new GraphTensor(name, TensorRole.Value, perLayer: true, format));

        private GraphReference At(GraphTensor tensor) => new(tensor, LayerIndex.Of(Index));

        private GraphOperator Copy(string label, TransferDirection direction, GraphReference from, GraphReference to)
        {
            var brings = direction == TransferDirection.HostToDevice;
            var turn = brings && _pass.Split.Ahead ? Turn - 1 : Turn;
            var layer = turn < 0 ? -1 : turn / _batches;
            return new(brings || _batches > 1 ? label + InTurn : label, layer, new TransferOperation(direction, Pinned: true))
            {
                Batch = turn < 0 ? 0 : turn % _batches,
                Result = Distribution.Split,
                Reads = [from],
                Writes = [to],
            };
        }
    }

    private CacheSplit Split => split;

    private int Batches => offload.BatchesPerLayer;

    private Precision Stored => offload.StoredActivations;
}
