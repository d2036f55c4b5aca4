namespace Preserve.Optimizer.Tests;

/// <summary>Specifications that the tests plan, with the published shapes where they carry a published name.</summary>
internal static class Specs
{
    public static LayerSpec Layer(
        string name, int heads, int keyValueHeads, int headSize, int intermediate, int window = 0, Norm norm = Norm.Rms,
        bool postNorm = false, Position position = Position.Rotary, bool parallel = false, ProjectionBias bias = ProjectionBias.None,
        bool queryKeyNorm = false, bool softCap = false, Activation activation = Activation.SwiGlu, bool feedForwardBias = false,
        bool separateNorms = false) =>
        new(name, norm, postNorm, position, parallel,
            new MultiHeadAttentionSpec(heads, keyValueHeads, headSize, bias, queryKeyNorm, window, softCap),
            new FeedForwardSpec[] { new DenseFeedForwardSpec(intermediate, activation, feedForwardBias) },
            separateNorms);

    private static ModelSpec Opt(string name, int layers, int heads) => Model(name, heads * 128, 50_272, Group(layers, Layer(
        "DecoderLayer", heads, heads, 128, heads * 512, norm: Norm.Layer, position: Position.Learned, bias: ProjectionBias.All,
        activation: Activation.Relu, feedForwardBias: true)))
        with
    { TiedEmbeddings = true, LearnedPositions = 2050, FinalNorm = Norm.Layer };

    public static ModelSpec Model(string name, int hidden, int vocabulary, params LayerGroup[] stack) =>
        new(name, hidden, vocabulary, MaxPositions: 131_072, TiedEmbeddings: false, LearnedPositions: 0, EmbeddingScale: false,
            Norm.Rms, LogitSoftCap: false, HeadBias: false, stack);

    public static LayerGroup Group(int repeat, params LayerSpec[] pattern) => new(pattern, repeat);

    public static ModelSpec Llama3_70B { get; } =
        Model("Llama3_70B", 8192, 128_256, Group(80, Layer("DecoderLayer", 64, 8, 128, 28_672)));

    public static ModelSpec Llama3_8B { get; } =
        Model("Llama3_8B", 4096, 128_256, Group(32, Layer("DecoderLayer", 32, 8, 128, 14_336)));

    public static ModelSpec Phi3Medium { get; } =
        Model("Phi3Medium", 5120, 32_064, Group(40, Layer("DecoderLayer", 40, 10, 128, 17_920)));

    public static ModelSpec Gemma2_27B { get; } = Model("Gemma2_27B", 4608, 256_000, Group(23,
        Layer("Local", 32, 16, 128, 36_864, window: 4096, postNorm: true, softCap: true, activation: Activation.GeGlu),
        Layer("Global", 32, 16, 128, 36_864, postNorm: true, softCap: true, activation: Activation.GeGlu)))
        with
    { TiedEmbeddings = true, EmbeddingScale = true, LogitSoftCap = true };

    public static ModelSpec Opt6B { get; } = Opt("Opt6B", layers: 32, heads: 32);

    public static ModelSpec Opt13B { get; } = Opt("Opt13B", layers: 40, heads: 40);

    public static ModelSpec Opt30B { get; } = Opt("Opt30B", layers: 48, heads: 56);

    /// <summary>Three layers of one kind, then 58 of another.</summary>
    public static ModelSpec TwoKinds { get; } = Model("TwoKinds", 4096, 32_000,
        Group(3, Layer("Wide", 32, 8, 128, 16_384)),
        Group(58, Layer("Narrow", 32, 8, 128, 8_192)));

    public static DeploymentSpec Deploy(
        ModelSpec model, int ranks, StepSpec step, Precision format = Precision.Int8, PrefetchPolicy prefetch = PrefetchPolicy.Paper,
        string device = Devices.Ascend910B2, bool separate = false, bool sequenceParallel = false, CollectiveFusion fusion = CollectiveFusion.None) =>
        new(model, device, ranks, format, format, format, prefetch, separate, new[] { step }, sequenceParallel, fusion);

    public static StepSpec Decode(int batch, int context) => new DecodeSpec(batch, context, Total: false);

    /// <summary>Usable L2 of the Ascend 910B2: 0.7 of 192 MiB.</summary>
    public const long AscendRoom = 140_928_614;

    public static ExecutionPlan Plan(DeploymentSpec deployment, long room = AscendRoom) =>
        Plan(deployment, StepPlanner.RuleOf(deployment.Prefetch, room), room);

    public static ExecutionPlan Plan(DeploymentSpec deployment, IPrefetchRule rule, long room = AscendRoom) =>
        PlanEmission.Emit(StepPlanner.Plan(deployment, deployment.Steps[0], rule), deployment, room);

    public static ExecutionPlan PlanUnrolled(DeploymentSpec deployment, long room = AscendRoom) =>
        PlanUnrolled(deployment, StepPlanner.RuleOf(deployment.Prefetch, room), room);

    public static ExecutionPlan PlanUnrolled(DeploymentSpec deployment, IPrefetchRule rule, long room = AscendRoom) =>
        PlanEmission.Emit(StepPlanner.PlanUnrolled(deployment, deployment.Steps[0], rule), deployment, room);

    /// <summary>The rule of a deployment's policy; of the policy that searches, cuts such as it could find: random parts, within the room, of all that may be
    /// prefetched a window early, in its window or beside a kernel.</summary>
    public static IPrefetchRule RuleOf(DeploymentSpec deployment, Random random, long room = AscendRoom, CacheSplit? split = null)
    {
        if (deployment.Prefetch != PrefetchPolicy.Best)
            return StepPlanner.RuleOf(deployment.Prefetch, room);
        var template = new TemplateRule();
        StepPlanner.Plan(deployment, deployment.Steps[0], template, split);
        var problem = template.Problem!;
        var units = new long[problem.Parts.Count];
        foreach (var part in Enumerable.Range(0, units.Length).OrderBy(_ => random.Next()))
        {
            // A room may hold a part several times, of several layers.
            var most = problem.Rooms.Where(r => r.Contains(part)).Select(r => (room - r.Sum(p => units[p] * problem.Parts[p].UnitBytes)) / r.Count(p => p == part)).DefaultIfEmpty(room).Min();
            most = Math.Min(problem.UnitsLeft(part, units), most / problem.Parts[part].UnitBytes);
            units[part] = random.Next(3) switch { 0 => 0, 1 => most, _ => random.NextInt64(most + 1) };
        }
        return new ChosenRule(PrefetchCuts.Between(problem.Parts, units));
    }
}
