using BenchmarkDotNet.Attributes;
using Preserve.Optimizer;

namespace Preserve.Benchmarks;

/// <summary>Llama-3-70B on eight H100: planning, writing, reading and simulating one decode step.</summary>
[MemoryDiagnoser]
public class PlanBenchmarks
{
    /// <summary>Tokens of a sequence at most: the model's positions.</summary>
    internal const int MostContext = 8192;

    /// <summary>Sequences at most.</summary>
    internal const int MostBatch = 64;

    /// <summary>How many steps are distinct, by batch and context or by the context of all sequences together.</summary>
    internal const int DistinctInputs = MostBatch * (MostContext - 1);

    private readonly PlanSet _plans = Planner.Plan(Deployment(MostContext), Device);
    private readonly Executor _executor = new(new SimulatedBackend(Device));
    private string _text = "";
    private int _context;

    internal static Device Device { get; } = DeviceCatalogue.TryGet(Devices.H100, out var device) ? device : throw new InvalidOperationException();

    /// <summary>Writes the text that <see cref="Read"/> reads.</summary>
    [GlobalSetup]
    public void Setup() => _text = PlanText.Write(_plans);

    /// <summary>Lowering, passes, proof and report.</summary>
    [Benchmark]
    public PlanSet Plan() => Planner.Plan(Deployment(MostContext), Device);

    /// <summary>The plan's text.</summary>
    [Benchmark]
    public string Write() => PlanText.Write(_plans);

    /// <summary>The plan from its text.</summary>
    [Benchmark]
    public PlanSet Read() => PlanSet.Parse(_text);

    /// <summary>One step from a ready plan, at a context of its own.</summary>
    [Benchmark]
    public long Simulate() => _executor.RunAsync(_plans.Steps[0].Plan, 1 + (_context++ % MostContext)).AsTask().Result.Picoseconds;

    /// <summary>The <paramref name="i"/>th of deployments that differ in context or batch: the first <see cref="DistinctInputs"/> are distinct.</summary>
    internal static DeploymentSpec Distinct(int i) => Deployment(1 + (i % MostContext), MostBatch - (i / MostContext % MostBatch));

    internal static DeploymentSpec Deployment(int context, int batch = MostBatch) => new(
        new ModelSpec("Llama3_70B", 8192, 128_256, 8192, false, 0, false, Norm.Rms, false, false, new[]
        {
            new LayerGroup(new[]
            {
                new LayerSpec("DecoderLayer", Norm.Rms, false, Position.Rotary, false,
                    new MultiHeadAttentionSpec(64, 8, 128, ProjectionBias.None, false, 0, false),
                    new FeedForwardSpec[] { new DenseFeedForwardSpec(28_672, Activation.SwiGlu, false) }),
            }, 80),
        }),
        Devices.H100, 8, Precision.Bf16, Precision.Bf16, Precision.Bf16, PrefetchPolicy.Paper, false,
        new StepSpec[] { new DecodeSpec(batch, context, Total: false) });
}
