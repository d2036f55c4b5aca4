namespace Preserve.Optimizer.Tests;

/// <summary>Plans with the KV-cache, the weights or both on the host, with one thing changed of what only they have: copies, buffers in turn,
/// recomputations, several batches.</summary>
internal static class HostMutants
{
    public static readonly (string Kind, Func<ExecutionPlan, Random, ExecutionPlan?> Make)[] Kinds =
    [
        ("copy to the device dropped", (plan, random) => Mutants.Change(plan, random, IsLoad, _ => null)),
        ("copy to the host dropped", (plan, random) => Mutants.Change(plan, random, IsStore, _ => null)),
        ("copy not waited for", (plan, random) => Mutants.Change(plan, random, i => i.Waits.Any(w => w.StartsWith("load_", StringComparison.Ordinal)),
            i => i with { Waits = i.Waits.Where(w => !w.StartsWith("load_", StringComparison.Ordinal)).ToArray() })),
        ("store not waited for", (plan, random) => Mutants.Change(plan, random, i => i.Waits.Any(w => w.StartsWith("save_", StringComparison.Ordinal)),
            i => i with { Waits = i.Waits.Where(w => !w.StartsWith("save_", StringComparison.Ordinal)).ToArray() })),
        ("copy does not wait", (plan, random) => Mutants.Change(plan, random, i => i.Operation is TransferOperation && i.Waits.Count > 0, i => i with { Waits = default })),
        ("copy waits for another", (plan, random) => Mutants.Change(plan, random, i => i.Operation is TransferOperation, i => i with { Waits = new[] { Mutants.AnyLabel(plan, random) } })),
        ("copy of another layer", (plan, random) => Mutants.Change(plan, random, i => i.Operation is TransferOperation, i =>
        {
            var by = random.Next(2) == 0 ? 1 : -1;
            var which = random.Next(3);
            return i with { Reads = which == 1 ? i.Reads : Moved(i.Reads, by), Writes = which == 0 ? i.Writes : Moved(i.Writes, by) };
        })),
        ("copies exchanged between layers", (plan, random) => ExchangeLayers(plan, random)),
        ("copy of another batch", (plan, random) => plan.Batches == 1 ? null : Mutants.Change(plan, random, i => i.Operation is TransferOperation && i.Reads[0].Tensor.Contains('@', StringComparison.Ordinal), i =>
        {
            var batch = random.Next(plan.Batches);
            var which = random.Next(3);
            return i with { Reads = which == 1 ? i.Reads : OfBatch(i.Reads, batch), Writes = which == 0 ? i.Writes : OfBatch(i.Writes, batch) };
        })),
        ("reader of another batch", (plan, random) => plan.Batches == 1 ? null : Mutants.Change(plan, random, i => i.Reads.Any(r => r.Tensor.Contains('@', StringComparison.Ordinal)), i =>
        {
            var reads = i.Reads.ToArray();
            var at = random.Next(reads.Length);
            reads[at] = OfBatch([reads[at]], random.Next(plan.Batches))[0];
            return i with { Reads = reads };
        })),
        ("number of batches changed", (plan, random) => plan with { Batches = plan.Batches + (random.Next(2) == 0 ? 1 : -1) }),
        ("buffers in turn exchanged by the copy", (plan, random) => Mutants.Change(plan, random, i => IsLoad(i) && Turned(plan, i.Writes[0].Tensor) is not null,
            i => i with { Writes = new[] { i.Writes[0] with { Tensor = Turned(plan, i.Writes[0].Tensor)! } } })),
        ("buffers in turn exchanged by the reader", (plan, random) => Mutants.Change(plan, random, i => !IsLoad(i) && i.Reads.Any(r => Turned(plan, r.Tensor) is not null),
            i => i with { Reads = i.Reads.Select(r => Turned(plan, r.Tensor) is { } other ? r with { Tensor = other } : r).ToArray() })),
        ("buffers in turn in one place", (plan, random) => Declared(plan, random, t => Turned(plan, t.Name) is not null,
            t => t with { Offset = plan.Tensors.Single(o => o.Name == Turned(plan, t.Name)).Offset })),
        ("split moved in the transfer alone", (plan, random) => MoveSplit(plan, random, transfer: true, recompute: false)),
        ("split moved in the recomputation alone", (plan, random) => MoveSplit(plan, random, transfer: false, recompute: true)),
        ("split moved", (plan, random) => MoveSplit(plan, random, transfer: true, recompute: true)),
        ("recomputation changed", (plan, random) => Mutants.Change(plan, random, i => i.Operation is RecomputeOperation, i => (RecomputeOperation)i.Operation is var o ? i with
        {
            Operation = random.Next(7) switch
            {
                0 => o with { Tokens = o.Tokens + 1 },
                1 => o with { Tokens = o.Tokens - 1 },
                2 => o with { KeyValueHeads = o.KeyValueHeads * 2 },
                3 => o with { Rotates = !o.Rotates },
                4 => o with { Normalises = !o.Normalises },
                5 => o with { KeyValueHeads = o.KeyValueHeads * 2, HeadSize = o.HeadSize / 2 },
                _ => o with { Depth = o.Depth / 2 },
            },
        } : i)),
        ("recomputation's reads changed", (plan, random) => Mutants.Change(plan, random, i => i.Operation is RecomputeOperation, i =>
        {
            var reads = i.Reads.ToList();
            var at = random.Next(reads.Count);
            switch (random.Next(4))
            {
                case 0:
                    reads.RemoveAt(at);
                    break;
                case 1:
                    reads[at] = reads[at] with { Layer = new LayerIndex(reads[at].Layer.Kind, reads[at].Layer.Value + 1) };
                    break;
                case 2:
                    reads[at] = reads[at] with { Range = reads[at].Range is null ? new UnitRange(0, 16) : null };
                    break;
                default:
                    reads[at] = reads[at].Range is { } range ? reads[at] with { Range = new UnitRange(0, range.Length) } : reads[at];
                    break;
            }
            return i with { Reads = reads.ToArray() };
        })),
        ("recomputation dropped", (plan, random) => Mutants.Change(plan, random, i => i.Operation is RecomputeOperation, _ => null)),
        ("part of the cache not attended to", (plan, random) => Mutants.Change(plan, random, i => i.Operation is AttentionOperation && i.Reads.Count > 1, i =>
        {
            // Queries come first.
            var reads = i.Reads.ToList();
            reads.RemoveAt(random.Next(1, reads.Count));
            return i with { Reads = reads.ToArray() };
        })),
        ("part of the cache attended to twice", (plan, random) => Mutants.Change(plan, random, i => i.Operation is AttentionOperation, i => i with { Reads = i.Reads.Append(i.Reads[random.Next(1, i.Reads.Count)]).ToArray() })),
        ("store of another value", (plan, random) => Mutants.Change(plan, random, IsStore, i =>
        {
            var same = plan.Tensors.Where(t => t is { Role: TensorRole.Value, OnHost: false } && t.PerLayer && t.Bytes == plan.Tensors.Single(o => o.Name == i.Reads[0].Tensor).Bytes).ToArray();
            return i with { Reads = new[] { i.Reads[0] with { Tensor = same[random.Next(same.Length)].Name } } };
        })),
        ("parts of a weight exchanged", (plan, random) => Mutants.Change(plan, random, i => i.Reads.Count(r => r.Tensor.Contains("_weight_", StringComparison.Ordinal)) > 1,
            i => i with { Reads = i.Reads.Reverse().ToArray() })),
        ("home changed", (plan, random) => Declared(plan, random, t => t.OnHost, t => t with { Memory = random.Next(2) == 0 ? TensorMemory.Device : TensorMemory.PageableHost })),
        ("direction of a copy changed", (plan, random) => Mutants.Change(plan, random, i => i.Operation is TransferOperation,
            i => i with { Operation = (TransferOperation)i.Operation with { Direction = 1 - ((TransferOperation)i.Operation).Direction } })),
        ("buffer shrunk", (plan, random) => Declared(plan, random, t => t.Role == TensorRole.Value && (t.Name.Contains("_past", StringComparison.Ordinal) || t.Name.Contains("_remade", StringComparison.Ordinal) || t.Name.Contains("_new", StringComparison.Ordinal)),
            t => t with { Units = t.Units - 16 })),
    ];

    private static bool IsLoad(Instruction instruction) => instruction.Stream == StreamKind.HostToDevice;

    private static bool IsStore(Instruction instruction) => instruction.Stream == StreamKind.DeviceToHost;

    private static EquatableArray<TensorReference> Moved(EquatableArray<TensorReference> references, int by) =>
        references.Select(r => r with { Layer = new LayerIndex(r.Layer.Kind, r.Layer.Value + by) }).ToArray();

    private static TensorReference[] OfBatch(IEnumerable<TensorReference> references, int batch) =>
        references.Select(r => CopyTrace.BatchOf(r.Tensor) < 0 ? r : r with { Tensor = $"{r.Tensor[..r.Tensor.LastIndexOf('@')]}@{batch}" }).ToArray();

    /// <summary>The buffer that is the turn before or after one's, or null.</summary>
    private static string? Turned(ExecutionPlan plan, string name)
    {
        foreach (var (turn, other) in new[] { ("_even", "_odd"), ("_odd", "_even") })
        {
            if (name.Contains(turn, StringComparison.Ordinal) && name.Replace(turn, other, StringComparison.Ordinal) is var turned && plan.Tensors.Any(t => t.Name == turned))
                return turned;
        }
        return null;
    }

    private static ExecutionPlan? Declared(ExecutionPlan plan, Random random, Func<TensorDeclaration, bool> applies, Func<TensorDeclaration, TensorDeclaration> change)
    {
        var places = Enumerable.Range(0, plan.Tensors.Count).Where(t => applies(plan.Tensors[t])).ToArray();
        if (places.Length == 0)
            return null;
        var tensors = plan.Tensors.ToArray();
        var at = places[random.Next(places.Length)];
        tensors[at] = change(tensors[at]);
        return plan with { Tensors = tensors };
    }

    /// <summary>Two layers' copies of one tensor bring, or take, what is the other's.</summary>
    private static ExecutionPlan? ExchangeLayers(ExecutionPlan plan, Random random)
    {
        var unrolled = plan.Unroll();
        var nodes = unrolled.Body.ToArray();
        var copies = Enumerable.Range(0, nodes.Length).Where(n => nodes[n] is Instruction { Operation: TransferOperation }).ToArray();
        if (copies.Length == 0)
            return null;
        var one = copies[random.Next(copies.Length)];
        var first = (Instruction)nodes[one];
        var others = copies.Where(c => c != one && ((Instruction)nodes[c]) is var i && i.Stream == first.Stream && HostSide(i)[0].Tensor == HostSide(first)[0].Tensor && HostSide(i)[0].Range == HostSide(first)[0].Range).ToArray();
        if (others.Length == 0)
            return null;
        var other = others[random.Next(others.Length)];
        var second = (Instruction)nodes[other];
        var both = random.Next(2) == 0;
        (nodes[one], nodes[other]) = (With(first, second, both), With(second, first, both));
        return unrolled with { Body = nodes };

        // The place on the host alone, or what is at both ends: the same copies in another order.
        static Instruction With(Instruction own, Instruction taken, bool both) => both ? own with { Reads = taken.Reads, Writes = taken.Writes }
            : own.Stream == StreamKind.HostToDevice ? own with { Reads = taken.Reads } : own with { Writes = taken.Writes };
    }

    private static EquatableArray<TensorReference> HostSide(Instruction copy) => copy.Stream == StreamKind.HostToDevice ? copy.Reads : copy.Writes;

    /// <summary>One token more or less is recomputed, and transferred, in all layers of a kind and batch, with buffers of the right size.</summary>
    private static ExecutionPlan? MoveSplit(ExecutionPlan plan, Random random, bool transfer, bool recompute)
    {
        var remade = plan.Instructions().Where(i => i.Operation is RecomputeOperation && i.Writes.Count == 1).Select(i => i.Writes[0].Tensor).Distinct().ToArray();
        if (plan.Step is PrefillSpec || remade.Length == 0)
            return null;
        var chosen = remade[random.Next(remade.Length)];
        var (kind, batch) = (CopyTrace.KindOf(chosen), CopyTrace.BatchOf(chosen));
        var by = random.Next(2) == 0 ? 1 : -1;
        var sizes = new Dictionary<string, Amount>();
        foreach (var instruction in plan.Instructions())
            Changed(instruction);
        return plan with { Body = Map(plan.Body), Tensors = plan.Tensors.Select(t => sizes.TryGetValue(t.Name, out var units) ? t with { Units = units } : t).ToArray() };

        EquatableArray<PlanNode> Map(EquatableArray<PlanNode> body) => body.Select(n => n is Repeat r ? r with { Body = Map(r.Body) } : (PlanNode)Changed((Instruction)n)).ToArray();

        bool Own(string tensor, string name) => tensor.StartsWith(kind + name, StringComparison.Ordinal) && CopyTrace.KindOf(tensor) == kind && CopyTrace.BatchOf(tensor) == batch;

        Instruction Changed(Instruction i)
        {
            if (transfer && IsLoad(i) && Own(i.Writes[0].Tensor, "kv_past") && i.Reads[0].Range is { } rest)
            {
                Resize(i.Writes[0].Tensor, by * -plan.Tensors.Single(t => t.Name == i.Reads[0].Tensor).UnitBytes);
                return i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(rest.Begin + by, rest.End) } } };
            }
            if (recompute && IsLoad(i) && Own(i.Writes[0].Tensor, "x_past") && i.Reads[0].Range is { } first)
            {
                Resize(i.Writes[0].Tensor, by * plan.Tensors.Single(t => t.Name == i.Reads[0].Tensor).UnitBytes);
                return i with { Reads = new[] { i.Reads[0] with { Range = new UnitRange(first.Begin, first.End + by) } } };
            }
            if (recompute && i.Operation is RecomputeOperation o && Own(i.Writes[0].Tensor, "kv_remade"))
            {
                Resize(i.Writes[0].Tensor, by * plan.Tensors.Single(t => t.Name == kind + (batch < 0 ? "kv" : $"kv@{batch}")).UnitBytes);
                return i with { Operation = o with { Tokens = o.Tokens + by } };
            }
            return i;
        }

        void Resize(string tensor, long bytes) => sizes[tensor] = plan.Tensors.Single(t => t.Name == tensor).Units + bytes;
    }
}
