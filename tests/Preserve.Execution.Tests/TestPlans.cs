using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Execution.Tests;

/// <summary>Small plans by hand, and random ones.</summary>
internal static class TestPlans
{
    public const int Layers = 24;

    /// <summary>A device whose figures make sums easy: HBM 1 TB/s (a megabyte in a microsecond), L2 4 TB/s, no fixed costs.</summary>
    public static Device PlainDevice(double l2Mebibytes = 64, double fixedMicroseconds = 0, double eventMicroseconds = 0) => new(
        "plain", "Plain", "", "",
        new ComputeRates(100, null, 200, null),
        new HbmMemory(80, 1000, 1000),
        new L2Cache(l2Mebibytes, l2Mebibytes, 4, null),
        new ScaleUpLink("link", 100),
        new HostLink("host", 100, 100, 0, 50, 0.75, 2, 1000),
        new KernelConstants(fixedMicroseconds, 1, 100, fixedMicroseconds, fixedMicroseconds, fixedMicroseconds, eventMicroseconds),
        new CollectiveConstants(10, null, null),
        new ChipFacts(null, null, null, null),
        default, default, default);

    public static ExecutionPlan Plan(IEnumerable<TensorDeclaration> tensors, params PlanNode[] body) =>
        new("test", "plain", 8, Layers, new DecodeSpec(1, 10_000, false), PrefetchPolicy.Paper, 0, 0, tensors.ToArray(), body);

    public static TensorDeclaration Weight(string name, long bytes, bool perLayer = true) =>
        new(name, TensorRole.Weight, perLayer, Precision.Int8, bytes, 1, -1);

    public static TensorDeclaration Value(string name, long bytes) => new(name, TensorRole.Value, false, Precision.Bf16, bytes, 1, 0);

    public static TensorDeclaration KeyValues(string name, long bytesPerToken) =>
        new(name, TensorRole.KeyValues, true, Precision.Bf16, Amount.Context + 1, bytesPerToken, -1);

    public static TensorDeclaration OnHost(TensorDeclaration tensor) => tensor with { Memory = TensorMemory.PinnedHost, Offset = -1 };

    public static TensorReference Once(string name, UnitRange? range = null) => new(name, LayerIndex.None, range);

    public static TensorReference Here(string name, int distance = 0, UnitRange? range = null) => new(name, LayerIndex.FromRepeat(distance), range);

    public static TensorReference Of(string name, int layer) => new(name, LayerIndex.Of(layer));

    public static Instruction Run(StreamKind stream, string label, Operation operation, TensorReference[] reads, string[]? waits = null, bool signals = false,
        TensorReference[]? writes = null) => new(stream, label, operation, reads, writes ?? [], waits ?? [], signals);

    /// <summary>A matmul without computation worth the name.</summary>
    public static Instruction Read(string label, TensorReference[] reads, string[]? waits = null, bool signals = false) =>
        Run(StreamKind.Compute, label, new MatMulOperation(1, 1, 1, Precision.Int8, Precision.Int8), reads, waits, signals);

    public static Instruction Prefetch(string label, TensorReference[] reads, string[]? waits = null, bool signals = false) =>
        Run(StreamKind.Prefetch, label, new PrefetchOperation(), reads, waits, signals);

    public static Instruction AllReduce(string label, long bytes, string[]? waits = null, bool signals = true) =>
        Run(StreamKind.Collective, label, new CollectiveOperation(CollectiveKind.AllReduce, bytes, 8), [], waits, signals);

    public static StepRun Simulate(ExecutionPlan plan, int context = 1000, Device? device = null, SimulationOptions? options = null)
    {
        return new Executor(new SimulatedBackend(device ?? PlainDevice(), options)).RunAsync(plan, context).AsTask().GetAwaiter().GetResult();
    }

    public static Instruction Copy(string label, TransferDirection direction, TensorReference[] reads, TensorReference[] writes, string[]? waits = null,
        bool signals = false, bool pinned = true) => Run(
            direction == TransferDirection.HostToDevice ? StreamKind.HostToDevice : StreamKind.DeviceToHost,
            label, new TransferOperation(direction, pinned), reads, waits, signals, writes);

    /// <summary>A tensor-parallel decode step: two windows per layer, the next operators' weights and KV-cache prefetched under them.</summary>
    public static ExecutionPlan Llama(int layers = 80, bool prefetch = true)
    {
        TensorDeclaration[] tensors =
        [
            Weight("embedding", 262_000_000, perLayer: false), Weight("head", 131_000_000, perLayer: false),
            Weight("qkv", 10_500_000), Weight("out", 8_400_000), Weight("gate-up", 58_700_000), Weight("down", 29_400_000), KeyValues("kv", 2048),
            Value("residual", 65_536), Value("normed", 65_536), Value("q", 10_240), Value("attended", 8192), Value("partial", 65_536), Value("wide", 28_672),
            Value("logits", 128_000),
        ];
        var compute = StreamKind.Compute;
        var matmul = new MatMulOperation(4, 1280, 8192, Precision.Int8, Precision.Int8);
        var cached = new UnitRange(0, Amount.Context);
        var newest = new UnitRange(Amount.Context, Amount.Context + 1);
        PlanNode[] Layer(bool last) =>
        [
            Run(compute, "norm1", new NormOperation(Norm.Rms, 4, 8192), [Once("residual")], writes: [Once("normed")], waits: ["reduce2"]),
            Run(compute, "qkv", matmul, [Here("qkv"), Once("normed")], writes: [Once("q")]),
            Run(compute, "rotary", new ElementwiseOperation(ElementwiseFunction.Rotary, 4, 1152), [Once("q")], writes: [Once("q")]),
            Run(compute, "store", new ElementwiseOperation(ElementwiseFunction.Store, 4, 256), [Once("q")], writes: [Here("kv", range: newest)]),
            Run(compute, "attention", new AttentionOperation(4, 1, 8, 1, 128, (Amount.Context * 4) + 4, false), [Here("kv"), Once("q")], writes: [Once("attended")]),
            Run(compute, "out", matmul, [Here("out"), Once("attended")], writes: [Once("partial")], signals: true),
            Run(StreamKind.Collective, "reduce1", new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8), [Once("partial")], ["out"], true, [Once("partial")]),
            .. First(),
            Run(compute, "add1", new ElementwiseOperation(ElementwiseFunction.Add, 4, 8192), [Once("partial"), Once("residual")], ["reduce1"], writes: [Once("residual")]),
            Run(compute, "norm2", new NormOperation(Norm.Rms, 4, 8192), [Once("residual")], writes: [Once("normed")]),
            Run(compute, "gate-up", matmul, [Here("gate-up"), Once("normed")], writes: [Once("wide")]),
            Run(compute, "act", new ElementwiseOperation(ElementwiseFunction.SwiGlu, 4, 3584), [Once("wide")], writes: [Once("wide")]),
            Run(compute, "down", matmul, [Here("down"), Once("wide")], writes: [Once("partial")], signals: true),
            Run(StreamKind.Collective, "reduce2", new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8), [Once("partial")], ["down"], true, [Once("partial")]),
            .. Second(last),
        ];
        PlanNode[] First() => !prefetch ? [] :
            [Prefetch("prefetch1", [Here("gate-up"), Here("down", range: new UnitRange(0, 20_000_000))], ["out"])];
        PlanNode[] Second(bool last) => !prefetch ? []
            : [Prefetch("prefetch2", last ? [Once("head")] : [Here("qkv", 1), Here("kv", 1, cached), Here("out", 1)], ["down"])];
        return Plan(tensors,
            Run(compute, "embed", new EmbedOperation(4, 8192), [Once("embedding")], writes: [Once("partial")], signals: true),
            Run(StreamKind.Collective, "reduce2", new CollectiveOperation(CollectiveKind.AllReduce, 65_536, 8), [Once("partial")], ["embed"], true, [Once("partial")]),
            new Repeat(layers - 1, 0, 1, Layer(false)),
            new Repeat(1, layers - 1, 1, Layer(true)),
            Run(compute, "head", matmul, [Once("head"), Once("residual")], ["reduce2"], writes: [Once("logits")])) with
        { Layers = layers };
    }

    /// <summary>Plans of up to three repeats with random operations on all streams, and waits for labels that have signalled above.</summary>
    public static Gen<ExecutionPlan> Random =>
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select Generate(new Random(seed));

    private static ExecutionPlan Generate(Random random)
    {
        TensorDeclaration[] tensors =
        [
            Weight("a", 3_000_000 + random.Next(20_000_000)), Weight("b", 1_000_000 + random.Next(9_000_000)), Weight("head", 5_000_001, perLayer: false),
            KeyValues("kv", 1 + random.Next(4000)), OnHost(KeyValues("store", 1000)), Value("x", 65_536), Value("y", 123_457),
        ];
        var labels = new List<string>();
        var nodes = new List<PlanNode>();
        for (var part = random.Next(1, 4); part > 0; part--)
        {
            nodes.AddRange(Body(random, labels, repeated: false));
            var stride = random.Next(1, 3);
            var count = random.Next(1, ((Layers - 1) / stride) + 1);
            var inner = Body(random, labels, repeated: true);
            if (random.Next(6) == 0)
                inner.Add(new Repeat(random.Next(1, 5), 2, 1, Body(random, labels, repeated: true).ToArray()));
            nodes.Add(new Repeat(count, random.Next(0, Layers - 1 - ((count - 1) * stride)), stride, inner.ToArray()));
        }
        nodes.AddRange(Body(random, labels, repeated: false));
        return Plan(tensors, nodes.ToArray());
    }

    private static List<PlanNode> Body(Random random, List<string> labels, bool repeated)
    {
        var nodes = new List<PlanNode>();
        for (var i = random.Next(1, 7); i > 0; i--)
        {
            var label = "i" + random.Next(12);
            var waits = labels.Count > 0 && random.Next(3) > 0 ? new[] { labels[random.Next(labels.Count)] } : [];
            var signals = random.Next(2) == 0;
            var reads = Enumerable.Range(0, random.Next(1, 3)).Select(_ => Any(random, repeated)).ToArray();
            nodes.Add(random.Next(7) switch
            {
                6 when random.Next(2) == 0 => Copy(label, TransferDirection.HostToDevice, [AnyOnHost(random, repeated)], [Once("x")], waits, signals, random.Next(2) == 0),
                6 => Copy(label, TransferDirection.DeviceToHost, reads, [AnyOnHost(random, repeated)], waits, signals, random.Next(2) == 0),
                0 => Run(StreamKind.Collective, label, new CollectiveOperation(CollectiveKind.AllReduce, random.Next(1, 1_000_000), 8), [Once("x")], waits, signals, [Once("x")]),
                1 => Prefetch(label, reads, waits, signals),
                2 => Run(StreamKind.Collective, label, new JoinOperation(), [], waits, signals),
                3 => Run((StreamKind)random.Next(5), label, new NormOperation(Norm.Rms, 1, 8), reads, waits, signals, [Once("y")]),
                _ => Run(StreamKind.Compute, label, new MatMulOperation(random.Next(1, 64), 4096, 4096, Precision.Int8, Precision.Int8), reads, waits, signals, [Once("x")]),
            });
            if (signals)
                labels.Add(label);
        }
        return nodes;
    }

    private static TensorReference AnyOnHost(Random random, bool repeated) =>
        new("store", repeated ? LayerIndex.FromRepeat(random.Next(0, 2)) : LayerIndex.Of(random.Next(Layers)));

    private static TensorReference Any(Random random, bool repeated)
    {
        var name = new[] { "a", "b", "head", "kv", "x" }[random.Next(5)];
        var part = name == "kv" ? new UnitRange(0, Amount.Context) : new UnitRange(random.Next(1000), 40_000 + random.Next(10_000));
        var range = random.Next(3) > 0 ? null : part;
        if (name is "head" or "x")
            return Once(name, range);
        return new TensorReference(name, repeated ? LayerIndex.FromRepeat(random.Next(0, 2)) : LayerIndex.Of(random.Next(Layers)), range);
    }
}
