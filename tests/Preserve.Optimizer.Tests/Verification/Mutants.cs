namespace Preserve.Optimizer.Tests;

/// <summary>Plans with one thing changed, of every kind that could make a plan wrong.</summary>
internal static class Mutants
{
    public static readonly (string Kind, Func<ExecutionPlan, Random, ExecutionPlan?> Make)[] Kinds =
    [
        ("wait dropped", (plan, random) => Change(plan, random, i => i.Waits.Count > 0, i => i with { Waits = i.Waits.Skip(1).ToArray() })),
        ("signal dropped", (plan, random) => Change(plan, random, i => i.Signals, i => i with { Signals = false })),
        ("wait retargeted", (plan, random) => Change(plan, random, i => i.Waits.Count > 0, i => i with { Waits = new[] { AnyLabel(plan, random) } })),
        ("wait added", (plan, random) => Change(plan, random, i => i.Waits.Count == 0, i => i with { Waits = new[] { AnyLabel(plan, random) } })),
        ("stream changed", (plan, random) => Change(plan, random, _ => true, i => i with { Stream = (StreamKind)random.Next(3) })),
        ("instructions swapped", (plan, random) => Nodes(plan, random, nodes =>
        {
            var at = random.Next(nodes.Count - 1);
            (nodes[at], nodes[at + 1]) = (nodes[at + 1], nodes[at]);
        })),
        ("instruction dropped", (plan, random) => Nodes(plan, random, nodes => nodes.RemoveAt(random.Next(nodes.Count)))),
        ("instruction duplicated", (plan, random) => Nodes(plan, random, nodes => nodes.Insert(random.Next(nodes.Count), nodes[random.Next(nodes.Count)]))),
        ("prefetch retargeted", (plan, random) => Change(plan, random, i => i.Operation is PrefetchOperation,
            i => i with { Reads = new[] { i.Reads[0] with { Tensor = AnyWeight(plan, random), Range = null, Layer = LayerIndex.Of(random.Next(plan.Layers)) } } })),
        ("room shrunk", (plan, random) => plan with { PrefetchRoomBytes = plan.PrefetchRoomBytes * random.Next(1, 10) / 10 }),
        ("buffer moved", (plan, random) =>
        {
            var tensors = plan.Tensors.ToArray();
            var values = Enumerable.Range(0, tensors.Length).Where(t => tensors[t].Role == TensorRole.Value).ToArray();
            var at = values[random.Next(values.Length)];
            tensors[at] = tensors[at] with { Offset = random.Next(2) == 0 ? tensors[values[random.Next(values.Length)]].Offset : 256 * random.Next((int)(plan.ArenaBytes / 256) + 1) };
            return plan with { Tensors = tensors };
        }),
        ("buffer far outside", (plan, random) =>
        {
            var tensors = plan.Tensors.ToArray();
            var values = Enumerable.Range(0, tensors.Length).Where(t => tensors[t].Role == TensorRole.Value).ToArray();
            var at = values[random.Next(values.Length)];
            tensors[at] = tensors[at] with { Offset = long.MaxValue - 8 };
            return plan with { Tensors = tensors };
        }),
        ("prefetch grown", (plan, random) => Change(plan, random, i => i.Operation is PrefetchOperation,
            i => i with { Reads = i.Reads.Append(new TensorReference(AnyWeight(plan, random), LayerIndex.Of(random.Next(plan.Layers)))).ToArray() })),
        ("weight dropped", (plan, random) => Change(plan, random, i => i.Operation is not PrefetchOperation && i.Reads.Any(r => IsWeight(plan, r)),
            i => i with { Reads = i.Reads.Where(r => !IsWeight(plan, r)).ToArray() })),
        ("weight cut", (plan, random) => Change(plan, random, i => i.Operation is not PrefetchOperation && i.Reads.Any(r => IsWeight(plan, r)),
            i => i with { Reads = i.Reads.Select(r => IsWeight(plan, r) ? r with { Range = new UnitRange(0, 1) } : r).ToArray() })),
        ("value cut where it is written", (plan, random) => Change(plan, random, i => i.Writes.Any(w => IsValue(plan, w)),
            i => i with { Writes = i.Writes.Select(w => IsValue(plan, w) ? w with { Range = new UnitRange(0, 1) } : w).ToArray() })),
        ("value written elsewhere", (plan, random) => Change(plan, random, i => i.Writes.Any(w => IsValue(plan, w)), i => i with { Writes = AnyWrites(plan, random) })),
        ("repeat emptied", (plan, _) => Repeats(plan, r => r with { Count = 0 })),
        ("KV range torn", (plan, random) => Change(plan, random, i => i.Reads.Concat(i.Writes).Any(r => r.Range is not null) && i.Operation is not PrefetchOperation,
            i => i with { Reads = i.Reads.Select(r => Tear(r, random)).ToArray(), Writes = i.Writes.Select(r => Tear(r, random)).ToArray() })),
        ("layer of a reference changed", (plan, random) => Change(plan, random, i => i.Reads.Any(r => r.Layer.Kind != LayerIndexKind.None), i =>
        {
            var reads = i.Reads.ToArray();
            var at = random.Next(reads.Length);
            reads[at] = reads[at].Layer.Kind == LayerIndexKind.None ? reads[at] : reads[at] with { Layer = new(reads[at].Layer.Kind, reads[at].Layer.Value + (random.Next(2) == 0 ? 1 : -1)) };
            return i with { Reads = reads };
        })),
        ("weights exchanged between layers", (plan, random) => ExchangeWeights(plan, random)),
        ("repeat count changed", (plan, random) => Repeats(plan, r => r with { Count = Math.Max(1, r.Count + (random.Next(2) == 0 ? 1 : -1)) })),
        ("first layer changed", (plan, random) => Repeats(plan, r => r with { FirstLayer = r.FirstLayer + (random.Next(2) == 0 ? 1 : -1) })),
        ("rows changed", (plan, random) => Operations(plan, random, operation => operation switch
        {
            EmbedOperation o => o with { Rows = Other(o.Rows, random) },
            MatMulOperation o => o with { Rows = Other(o.Rows, random) },
            NormOperation o => o with { Rows = Other(o.Rows, random) },
            ElementwiseOperation o => o with { Rows = Other(o.Rows, random) },
            CollectiveOperation { Norm: { } n } o => o with { Norm = n with { Rows = Other(n.Rows, random) } },
            _ => null,
        })),
        ("width changed", (plan, random) => Operations(plan, random, operation => operation switch
        {
            EmbedOperation o => o with { Width = Other(o.Width, random) },
            MatMulOperation o => o with { Columns = Other(o.Columns, random) },
            NormOperation o => o with { Width = Other(o.Width, random) },
            ElementwiseOperation o => o with { Width = Other(o.Width, random) },
            CollectiveOperation { Norm: { } n } o => o with { Norm = n with { Width = Other(n.Width, random) } },
            _ => null,
        })),
        ("depth changed", (plan, random) => Operations(plan, random, operation => operation switch
        {
            MatMulOperation o => o with { Depth = Other(o.Depth, random) },
            CollectiveOperation { MatMul: { } m } o => o with { MatMul = m with { Depth = Other(m.Depth, random) } },
            _ => null,
        })),
        ("tokens of an attention changed", (plan, random) => Operations(plan, random, operation => operation is not AttentionOperation o ? null
            : random.Next(2) == 0 ? o with { Sequences = Other(o.Sequences, random) } : o with { NewTokens = Other(o.NewTokens, random) })),
        ("heads changed", (plan, random) => Operations(plan, random, operation => operation is not AttentionOperation o ? null : random.Next(3) switch
        {
            0 => o with { Heads = Other(o.Heads, random) },
            1 => o with { KeyValueHeads = Other(o.KeyValueHeads, random) },
            _ => o with { HeadSize = Other(o.HeadSize, random) },
        })),
        ("pairs changed", (plan, random) => Operations(plan, random, operation => operation is AttentionOperation o ? o with { Pairs = random.Next(2) == 0 ? o.Pairs + 1 : o.Pairs * 2 } : null)),
        ("format of an operation changed", (plan, random) => Operations(plan, random, operation => operation switch
        {
            MatMulOperation o => random.Next(2) == 0 ? o with { Weights = AnyFormat(random) } : o with { Activations = AnyFormat(random) },
            AttentionOperation o => o with { KeyValues = AnyFormat(random) },
            RecomputeOperation o => random.Next(2) == 0 ? o with { Weights = AnyFormat(random) } : o with { Activations = AnyFormat(random) },
            _ => null,
        })),
        ("norm of the other kind", (plan, random) => Operations(plan, random, operation => operation switch
        {
            NormOperation o => o with { Norm = 1 - o.Norm },
            CollectiveOperation { Norm: { } n } o => o with { Norm = n with { Norm = 1 - n.Norm } },
            _ => null,
        })),
        ("gate left out or added", (plan, random) => Operations(plan, random, operation => operation switch
        {
            ElementwiseOperation { Function: ElementwiseFunction.SwiGlu } o => o with { Function = ElementwiseFunction.Gelu },
            ElementwiseOperation { Function: ElementwiseFunction.Relu } o => o with { Function = ElementwiseFunction.GeGlu },
            _ => null,
        })),
        ("exchange changed", (plan, random) => Operations(plan, random, operation => operation is not CollectiveOperation o ? null : random.Next(4) switch
        {
            0 => o with { Bytes = o.Bytes * 2 },
            1 => o with { Ranks = o.Ranks + 1 },
            2 => o with { Kind = CollectiveKind.AllGather },
            _ => o with { Kind = CollectiveKind.AllReduce },
        })),
    ];

    private static int Other(int size, Random random) => random.Next(3) switch { 0 => size + 1, 1 => size * 2, _ => Math.Max(1, size / 2) };

    private static Precision AnyFormat(Random random) => random.Next(3) switch { 0 => Precision.Bf16, 1 => Precision.Int8, _ => Precision.Int4 };

    /// <summary>Changes the operation of one instruction of those whose operation can be changed.</summary>
    private static ExecutionPlan? Operations(ExecutionPlan plan, Random random, Func<Operation, Operation?> change) =>
        Change(plan, random, i => change(i.Operation) is not null, i => i with { Operation = change(i.Operation)! });

    private static bool IsWeight(ExecutionPlan plan, TensorReference reference) => plan.Tensors.Any(t => t.Name == reference.Tensor && t.Role == TensorRole.Weight);

    private static bool IsValue(ExecutionPlan plan, TensorReference reference) => plan.Tensors.Any(t => t.Name == reference.Tensor && t.Role == TensorRole.Value);

    private static EquatableArray<TensorReference> AnyWrites(ExecutionPlan plan, Random random)
    {
        var writes = plan.Instructions().Where(i => i.Writes.Any(w => IsValue(plan, w))).ToArray();
        return writes[random.Next(writes.Length)].Writes;
    }

    private static TensorReference Tear(TensorReference reference, Random random) => reference.Range is not { } range ? reference : reference with
    {
        Range = random.Next(4) switch
        {
            0 => new UnitRange(range.Begin, range.End - 1),
            1 => new UnitRange(range.Begin + 1, range.End),
            2 => new UnitRange(range.Begin - 1, range.End),
            _ => range,
        },
    };

    public static string AnyLabel(ExecutionPlan plan, Random random)
    {
        var labels = plan.Instructions().Where(i => i.Signals).Select(i => i.Label).Distinct().ToArray();
        return labels.Length == 0 ? "none" : labels[random.Next(labels.Length)];
    }

    private static string AnyWeight(ExecutionPlan plan, Random random)
    {
        var weights = plan.Tensors.Where(t => t.Role == TensorRole.Weight && t.PerLayer).ToArray();
        return weights[random.Next(weights.Length)].Name;
    }

    /// <summary>Changes one instruction of those that something applies to, or drops it where it becomes null.</summary>
    public static ExecutionPlan? Change(ExecutionPlan plan, Random random, Func<Instruction, bool> applies, Func<Instruction, Instruction?> change)
    {
        var count = plan.Instructions().Count(applies);
        if (count == 0)
            return null;
        var chosen = random.Next(count);
        var seen = 0;
        return plan with { Body = Map(plan.Body) };

        EquatableArray<PlanNode> Map(EquatableArray<PlanNode> body) => body.Select(n => n switch
        {
            Repeat r => r with { Body = Map(r.Body) },
            Instruction i when applies(i) => seen++ == chosen ? change(i) : i,
            _ => n,
        }).OfType<PlanNode>().ToArray();
    }

    /// <summary>Two layers each take the other's weights for one of their operators.</summary>
    private static ExecutionPlan? ExchangeWeights(ExecutionPlan plan, Random random)
    {
        var unrolled = plan.Unroll();
        var nodes = unrolled.Body.ToArray();
        var places = Enumerable.Range(0, nodes.Length).Where(n => nodes[n] is Instruction { Operation: not (PrefetchOperation or TransferOperation) } i && i.Reads.Any(r => IsWeight(plan, r) && r.Layer.Kind != LayerIndexKind.None)).ToArray();
        var one = places[random.Next(places.Length)];
        var first = (Instruction)nodes[one];
        var others = places.Where(p => p != one && ((Instruction)nodes[p]).Label == first.Label && ((Instruction)nodes[p]).Writes[0].Tensor == first.Writes[0].Tensor).ToArray();
        if (others.Length == 0)
            return null;
        var other = others[random.Next(others.Length)];
        var second = (Instruction)nodes[other];
        (nodes[one], nodes[other]) = (With(first, second), With(second, first));
        return unrolled with { Body = nodes };

        Instruction With(Instruction own, Instruction taken) =>
            own with { Reads = own.Reads.Where(r => !IsWeight(plan, r)).Concat(taken.Reads.Where(r => IsWeight(plan, r))).ToArray() };
    }

    private static ExecutionPlan? Nodes(ExecutionPlan plan, Random random, Action<List<PlanNode>> change)
    {
        if (random.Next(2) == 0 && plan.Body.OfType<Repeat>().FirstOrDefault() is { } repeat)
        {
            var inner = repeat.Body.ToList();
            change(inner);
            return plan with { Body = plan.Body.Select(n => ReferenceEquals(n, repeat) ? repeat with { Body = inner.ToArray() } : n).ToArray() };
        }
        var nodes = plan.Body.ToList();
        change(nodes);
        return plan with { Body = nodes.ToArray() };
    }

    private static ExecutionPlan? Repeats(ExecutionPlan plan, Func<Repeat, Repeat> change) =>
        plan.Body.OfType<Repeat>().Any() ? plan with { Body = plan.Body.Select(n => n is Repeat r ? change(r) : n).ToArray() } : null;
}
