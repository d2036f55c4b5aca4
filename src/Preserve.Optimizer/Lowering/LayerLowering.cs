using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Lowers one decoder layer of one batch: norm, attention, add, norm, feed-forward, add.</summary>
internal sealed class LayerLowering(Graph graph, DeploymentSpec deployment, LayerSpec spec, string prefix, int layer, int batch)
{
    private readonly string _suffix = BatchNames.Suffix(batch, deployment.Offload.BatchesPerLayer);
    private readonly int _hidden = deployment.Model.Hidden;
    private readonly int _rows = checked(graph.Step.Batch * graph.Step.NewTokens);

    public void Lower()
    {
        var residual = new GraphReference(graph["h" + _suffix], LayerIndex.Of(layer));
        var output = new GraphReference(graph["h" + _suffix], LayerIndex.Of(layer + 1));
        var attended = Norm("attn_norm", residual, "attn_in");
        var attention = LowerAttention(attended);
        if (spec.Parallel)
        {
            var feedForward = LowerFeedForward(spec.SeparateNorms ? Norm("mlp_norm", residual, "mlp_in") : attended);
            var block = Elementwise("block_add", ElementwiseFunction.Add, _hidden, Partition.None, [attention, feedForward], "block_out");
            Add("mlp_add", residual, block, output, spec.PostNorm ? [] : [.. OutBias(), .. DownBias()]);
            return;
        }
        var middle = Value("h_mid");
        Add("attn_add", residual, attention, middle, spec.PostNorm ? [] : OutBias());
        Add("mlp_add", middle, LowerFeedForward(Norm("mlp_norm", middle, "mlp_in")), output, spec.PostNorm ? [] : DownBias());
    }

    private GraphReference LowerAttention(GraphReference input)
    {
        if (spec.Attention is not MultiHeadAttentionSpec attention)
            throw new NotSupportedException($"attention of kind {spec.Attention.GetType().Name} has no lowering");

        var all = new Partition.ByHeads(attention.Heads, attention.KeyValueHeads, 2, attention.HeadSize);
        var queries = new Partition.ByHeads(attention.Heads, attention.KeyValueHeads, 0, attention.HeadSize);
        var one = new Partition.ByHeads(0, attention.KeyValueHeads, 1, attention.HeadSize);
        var rotated = new Partition.ByHeads(attention.Heads, attention.KeyValueHeads, 1, attention.HeadSize);
        var hasBias = attention.Bias != ProjectionBias.None;

        GraphReference q, k, v;
        if (deployment.SeparateProjections)
        {
            q = MatMul("q", input, queries.WidthOf(1), _hidden, queries, hasBias);
            k = MatMul("k", input, one.WidthOf(1), _hidden, one, hasBias);
            v = MatMul("v", input, one.WidthOf(1), _hidden, one, hasBias);
        }
        else
        {
            q = k = v = MatMul("qkv", input, all.WidthOf(1), _hidden, all, hasBias);
        }
        if (attention.QueryKeyNorm)
        {
            var normed = Value("qk_normed");
            Append("qk_norm", new NormOperation(Preserve.Norm.Rms, checked(_rows * rotated.HeadsOf(1)), attention.HeadSize), rotated,
                [.. Distinct(q, k), Weight("q_norm_weight"), Weight("k_norm_weight")], [normed]);
            q = k = normed;
        }
        if (spec.Position == Position.Rotary)
            q = k = Elementwise("rotary", ElementwiseFunction.Rotary, rotated.WidthOf(1), rotated, Distinct(q, k), "qk_rotated");

        var (cache, cached) = KeyValues(attention);
        var stored = new Partition.ByHeads(0, attention.KeyValueHeads, 2, attention.HeadSize);
        var fresh = cache with { Range = new UnitRange(cached, cache.Tensor.Units) };
        var table = BlockTable(attention.Window);
        Append("store", new ElementwiseOperation(ElementwiseFunction.Store, _rows, stored.WidthOf(1)), stored, [.. Distinct(k, v), .. table], [fresh]);

        var result = Value("attended");
        var operation = new AttentionOperation(graph.Step.Batch, graph.Step.NewTokens, attention.Heads, attention.KeyValueHeads,
            attention.HeadSize, Pairs(attention.Window), attention.SoftCap, deployment.KeyValues);
        List<GraphReference> reads = cached.IsZero
            ? [q, fresh]
            : [q, cache with { Range = new UnitRange(0, cached) }, fresh];
        reads.AddRange(table);
        Append("attention", operation, queries, reads, [result]);

        var output = MatMul("out", result, _hidden, queries.WidthOf(1), Partition.Rows, false, "attn_out");
        return spec.PostNorm ? Norm("attn_post_norm", WithBias("out", output, OutBias()), "attn_out_normed") : output;
    }

    private GraphReference LowerFeedForward(GraphReference input)
    {
        if (spec.FeedForward.Count != 1 || spec.FeedForward[0] is not DenseFeedForwardSpec block)
            throw new NotSupportedException("only one dense feed-forward block has a lowering");

        GraphReference[] up;
        if (!block.Activation.IsGated())
            up = [MatMul("up", input, block.Intermediate, _hidden, Partition.Columns, block.Bias)];
        else if (deployment.SeparateProjections)
            up = [MatMul("gate", input, block.Intermediate, _hidden, Partition.Columns, block.Bias), MatMul("up", input, block.Intermediate, _hidden, Partition.Columns, block.Bias)];
        else
            up = [MatMul("gate_up", input, checked(2 * block.Intermediate), _hidden, Partition.Columns, block.Bias)];

        var function = block.Activation switch
        {
            Activation.SwiGlu => ElementwiseFunction.SwiGlu,
            Activation.GeGlu => ElementwiseFunction.GeGlu,
            Activation.Gelu => ElementwiseFunction.Gelu,
            _ => ElementwiseFunction.Relu,
        };
        var activated = Elementwise("activation", function, block.Intermediate, Partition.Columns, up, "activated");
        var output = MatMul("down", activated, _hidden, block.Intermediate, Partition.Rows, false, "mlp_out");
        return spec.PostNorm ? Norm("mlp_post_norm", WithBias("down", output, DownBias()), "mlp_out_normed") : output;
    }

    // The biases of the projections that end a block are added to their sum over the ranks: a rank that added one to its summand would
    // let it count once per rank. So they are read by what adds the block to the residual stream, or, before a norm, by an addition.
    private List<GraphReference> OutBias() =>
        spec.Attention is MultiHeadAttentionSpec { Bias: ProjectionBias.All } ? [Weight("out_bias")] : [];

    private List<GraphReference> DownBias() =>
        spec.FeedForward[0] is DenseFeedForwardSpec { Bias: true } ? [Weight("down_bias")] : [];

    private GraphReference WithBias(string label, GraphReference input, List<GraphReference> bias) => bias.Count == 0
        ? input
        : Elementwise(label + "_bias_add", ElementwiseFunction.Add, _hidden, Partition.None, [input, .. bias], label + "_biased");

    /// <summary>The layer's KV-cache, and how many of its attended tokens stand from earlier steps.</summary>
    private (GraphReference Cache, Amount Cached) KeyValues(MultiHeadAttentionSpec attention)
    {
        var step = graph.Step;
        Amount cached = 0;
        if (step is DecodeSpec)
        {
            // A window of W tokens holds the new token and at most W - 1 cached ones of each sequence.
            var most = checked((long)(attention.Window - 1) * (step.ContextIsTotal ? step.Batch : 1));
            cached = attention.Window > 0 ? Amount.Min(Amount.Context, most).Within(step.MinContext, step.MaxContext) : Amount.Context;
        }
        var name = prefix + "kv" + _suffix;
        var cache = graph.Find(name) ?? graph.Add(new GraphTensor(name, TensorRole.KeyValues, perLayer: true, deployment.KeyValues)
        {
            Units = cached + (step.ContextIsTotal ? step.Batch : step.NewTokens),
            UnitBytes = TensorSizes.KeyValueBytes(step, attention.KeyValueHeads, attention.HeadSize, deployment.KeyValues),
            BlockUnits = deployment.KeyValueBlockTokens,
        });
        return (Here(cache), cached);
    }

    /// <summary>Where the blocks of the cache lie, if it is paged: layers of one kind share a table, because their blocks have the same
    /// numbers.</summary>
    private List<GraphReference> BlockTable(int window)
    {
        if (deployment.KeyValueBlockTokens == 0)
            return [];
        var name = prefix + "kv_blocks" + _suffix;
        var table = graph.Find(name) ?? graph.Add(new GraphTensor(name, TensorRole.BlockTable, perLayer: false, Precision.Int8)
        {
            Units = new KeyValueBlocks(graph.Step, deployment.KeyValueBlockTokens).TableBytes(window),
        });
        return [new GraphReference(table, LayerIndex.None)];
    }

    /// <summary>Query-key pairs per head over all sequences; a token attends to itself and to what is before it.</summary>
    private Amount Pairs(int window)
    {
        var step = graph.Step;
        if (step is PrefillSpec)
        {
            var full = Math.Min(step.NewTokens, window > 0 ? window : step.NewTokens);
            return checked(step.Batch * (((long)full * (full + 1) / 2) + ((long)(step.NewTokens - full) * full)));
        }
        var attended = graph[prefix + "kv" + _suffix].Units;
        return step.ContextIsTotal ? attended : attended * step.Batch;
    }

    private GraphReference Norm(string label, GraphReference input, string output)
    {
        var result = Value(output);
        Append(label, new NormOperation(spec.Norm, _rows, _hidden), Partition.None, [input, Weight(label + "_weight")], [result]);
        return result;
    }

    private GraphReference MatMul(string label, GraphReference input, int columns, int depth, Partition partition, bool bias, string? output = null)
    {
        var result = Value(output ?? label + "_out");
        List<GraphReference> reads = [input, Weight(label + "_weight", isMatrix: true)];
        if (bias)
            reads.Add(Weight(label + "_bias"));
        Append(label, new MatMulOperation(_rows, columns, depth, deployment.Weights, deployment.Activations), partition, reads, [result]);
        return result;
    }

    private GraphReference Elementwise(string label, ElementwiseFunction function, int width, Partition partition, IEnumerable<GraphReference> inputs, string output)
    {
        var result = Value(output);
        Append(label, new ElementwiseOperation(function, _rows, width), partition, [.. inputs], [result]);
        return result;
    }

    private void Add(string label, GraphReference left, GraphReference right, GraphReference sum, List<GraphReference> biases) =>
        Append(label, new ElementwiseOperation(ElementwiseFunction.Add, _rows, _hidden), Partition.None, [left, right, .. biases], [sum]);

    private void Append(string label, Operation operation, Partition partition, List<GraphReference> reads, List<GraphReference> writes)
    {
        var op = new GraphOperator(label, layer, operation) { Batch = batch, Partition = partition, Reads = reads, Writes = writes };
        TensorSizes.Set(graph, op);
        graph.Operators.Add(op);
    }

    private GraphReference Weight(string name, bool isMatrix = false)
    {
        var full = prefix + name;
        return Here(graph.Find(full)
            ?? graph.Add(new GraphTensor(full, TensorRole.Weight, perLayer: true, isMatrix ? deployment.Weights : Precision.Bf16) { IsMatrix = isMatrix }));
    }

    private GraphReference Value(string name)
    {
        var full = prefix + name + _suffix;
        return Here(graph.Find(full) ?? graph.Add(new GraphTensor(full, TensorRole.Value, perLayer: true, Precision.Bf16)));
    }

    private GraphReference Here(GraphTensor tensor) => new(tensor, LayerIndex.Of(layer));

    private static GraphReference[] Distinct(params GraphReference[] references) => references.Distinct().ToArray();
}
