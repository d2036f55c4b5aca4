using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Moves the layers' matrices to host memory. Those of a layer are brought while the layer before it runs, in the order in which they
/// are needed, and spread over the batches that the layer before serves, by bytes (FlexGen, arXiv 2303.06865). Of a matrix that a
/// recomputation reads a part of, that part is brought first (KVPR, arXiv 2411.17089, fine-grained pipeline).</summary>
/// <remarks>
/// <para>Precondition: operators are divided over the ranks, the KV-cache is where it is to be, and of each run of layers a repeat has an even
/// number, so that the matrices of neighbouring layers lie in two buffers in turn.</para>
/// <para>Norms and biases stay on the device: they take less than a thousandth of the bytes, and each copy has a fixed cost. So do the
/// embedding, the table of positions, the last norm and the output head, which are no layer's.</para>
/// </remarks>
internal sealed class OffloadWeights : IPass
{
    public string Name => "offload weights";

    public bool Run(Graph graph)
    {
        var reads = FirstReaders(graph);
        var batches = graph.Operators.Max(o => o.Batch) + 1;
        var parts = Parts(graph, reads, batches);
        var neededBy = reads.ToDictionary(r => r.Read, r => r.Reader);
        var operators = new List<GraphOperator>(graph.Operators.Count + parts.Sum(p => p.Count));
        var last = (Layer: -1, Batch: 0);
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            var (layer, batch) = (graph.Operators[i].Layer, graph.Operators[i].Batch);
            if (i == 0 || ((layer, batch) != last && layer >= 0))
            {
                var copies = new List<(GraphOperator Copy, int NeededBy)>();
                for (; graph.Operators[i] is { Operation: TransferOperation { Direction: TransferDirection.HostToDevice } } load; i++)
                    copies.Add((load, neededBy[load.Writes[0]]));
                if (layer + 1 < parts.Length)
                {
                    var due = parts[layer + 1].Where(p => layer < 0 || p.Slot == batch).Select(p => (p.Copy(layer, batch), p.NeededBy));
                    // What the next layer begins with is brought as it is needed; before that, what this layer's next batch needs goes first.
                    copies = layer < 0 || batch == batches - 1 ? [.. due.Concat(copies).OrderBy(c => c.Item2)] : [.. copies, .. due];
                }
                operators.AddRange(copies.Select(c => c.Copy));
            }
            last = (layer, batch);
            operators.Add(graph.Operators[i]);
        }
        foreach (var op in graph.Operators)
            ReadBuffers(op, parts);
        graph.Operators = operators;
        return true;
    }

    /// <summary>What is read, in the order in which it is first, each with its first reader.</summary>
    private static List<(GraphReference Read, int Reader)> FirstReaders(Graph graph)
    {
        var seen = new HashSet<GraphReference>();
        var readers = new List<(GraphReference Read, int Reader)>();
        for (var i = 0; i < graph.Operators.Count; i++)
        {
            foreach (var read in graph.Operators[i].Reads)
            {
                if (seen.Add(read))
                    readers.Add((read, i));
            }
        }
        return readers;
    }

    /// <summary>The parts in which each layer's matrices are brought, in the order in which they are needed.</summary>
    private static List<MatrixPart>[] Parts(Graph graph, List<(GraphReference Read, int Reader)> reads, int batches)
    {
        var layers = new List<MatrixPart>[graph.LayerCount];
        for (var layer = 0; layer < layers.Length; layer++)
            layers[layer] = [];
        foreach (var matrix in reads.Where(r => IsMatrix(r.Read)).GroupBy(r => (r.Read.Tensor, r.Read.Layer)))
        {
            var (weight, layer) = matrix.Key;
            weight.Memory = TensorMemory.PinnedHost;
            var (units, cut) = (weight.Units.At(0), matrix.Max(r => r.Read.Range?.Begin.At(0) ?? 0));
            layers[layer.Value].Add(new MatrixPart(graph, weight, layer, (cut, units), cut > 0 ? "_kv" : "", matrix.Min(r => r.Reader)));
            if (cut > 0)
                layers[layer.Value].Add(new MatrixPart(graph, weight, layer, (0, cut), "_q", matrix.First(r => r.Read.Range is null).Reader));
        }
        for (var layer = 0; layer < layers.Length; layer++)
        {
            layers[layer] = layers[layer].OrderBy(p => p.NeededBy).ToList();
            var (before, all) = (0L, layers[layer].Sum(p => p.Bytes));
            foreach (var part in layers[layer])
            {
                part.Slot = (int)((decimal)before * batches / all);
                before += part.Bytes;
            }
        }
        return layers;
    }

    private static void ReadBuffers(GraphOperator op, List<MatrixPart>[] parts)
    {
        for (var i = 0; i < op.Reads.Count; i++)
        {
            var read = op.Reads[i];
            if (op.IsTransfer || !IsMatrix(read))
                continue;
            var begin = read.Range?.Begin.At(0) ?? 0;
            var buffers = parts[read.Layer.Value].Where(p => p.Weight == read.Tensor && p.Begin >= begin).OrderBy(p => p.Begin).Select(p => p.Buffer).ToList();
            op.Reads.RemoveAt(i);
            op.Reads.InsertRange(i, buffers);
            i += buffers.Count - 1;
        }
    }

    private static bool IsMatrix(GraphReference read) => read.Tensor is { Role: TensorRole.Weight, PerLayer: true, IsMatrix: true };

    /// <summary>A part of a layer's matrix, and the buffer that it is brought to.</summary>
    private sealed class MatrixPart
    {
        private readonly LayerIndex _layer;
        private readonly UnitRange? _range;
        private readonly string _label;

        public MatrixPart(Graph graph, GraphTensor weight, LayerIndex layer, (long Begin, long End) part, string suffix, int neededBy)
        {
            (Weight, _layer, NeededBy, Begin, Bytes) = (weight, layer, neededBy, part.Begin, part.End - part.Begin);
            _range = Bytes == weight.Units.At(0) ? null : new UnitRange(part.Begin, part.End);
            var name = weight.Name + suffix + (layer.Value % 2 == 0 ? "_even" : "_odd");
            _label = "load_" + name.Substring(name.LastIndexOf('/') + 1);
            var buffer = graph.Find(name) ?? graph.Add(new GraphTensor(name, TensorRole.Value, perLayer: true, weight.Format) { IsMatrix = true, Units = Bytes });
            Buffer = new GraphReference(buffer, layer);
        }

        public GraphTensor Weight { get; }

        public long Begin { get; }

        public long Bytes { get; }

        public GraphReference Buffer { get; }

        /// <summary>The first operator that reads it.</summary>
        public int NeededBy { get; }

        /// <summary>The batch of the layer before beside which it is brought.</summary>
        public int Slot { get; set; }

        public GraphOperator Copy(int layer, int batch) => new(_label, layer, new TransferOperation(TransferDirection.HostToDevice, Pinned: true))
        {
            Batch = batch,
            Result = Distribution.Split,
            Reads = [new GraphReference(Weight, _layer, _range)],
            Writes = [Buffer],
        };
    }
}
