using Preserve.Cli.Commands;
using Preserve.Cli.Output;
using Preserve.Optimizer;

namespace Preserve.Cli;

/// <summary>A whole generation, planned and run: with the base plans and with these, by the executor on the hardware model.</summary>
internal sealed class GenerationSimulation
{
    private readonly string? _overridden;

    private GenerationSimulation(DeployedModel deployed, PlanSet plans, GenerationRun baseRun, GenerationRun run, PlanFootprint footprint, BandedRun longest)
    {
        (Plans, BaseRun, Run, Footprint, Longest) = (plans, baseRun, run, footprint, longest);
        // By the file's own fields: those that no law reads lose their marks next.
        _overridden = deployed.Overridden(Steps);
        Deployed = deployed with { Device = FieldUse.Marked(deployed.Device, Steps) };
    }

    /// <summary>What is planned, its device with those marks that the plans' laws read.</summary>
    public DeployedModel Deployed { get; }

    public PlanSet Plans { get; }

    public GenerationRun BaseRun { get; }

    public GenerationRun Run { get; }

    /// <summary>The most that one rank keeps in each memory.</summary>
    public PlanFootprint Footprint { get; }

    /// <summary>The decode step at the largest context, with how far it is to be trusted.</summary>
    public BandedRun Longest { get; }

    private IEnumerable<ExecutionPlan> Steps => Plans.Steps.Select(s => s.Plan);

    public ExecutionPlan Decode => Plans.Steps[0].Plan;

    public PlanReport Report => Plans.Steps[0].Report;

    public int Prompt => Plans.Steps[1].Plan.Step.NewTokens;

    /// <summary>Batches that each layer serves before the next layer.</summary>
    public int Batches => Decode.Batches;

    public bool HasHostWeights => Deployed.Spec.Offload.Weights == Home.Host;

    public bool HasHostCache => Deployed.Spec.Offload.KeyValues == Home.Host;

    /// <summary>Bytes to and from the device's memory, over what it could serve in the decode steps' time.</summary>
    public double MemoryShare(GenerationRun run) =>
        run.DecodePicoseconds == 0 ? 0 : run.Decode.Sum(s => s.HbmBytes) / (CostLaws.For(Deployed.Device).HbmBytesPerPicosecond * run.DecodePicoseconds);

    public double Speedup => (double)BaseRun.Picoseconds / Run.Picoseconds;

    /// <summary>Plans and runs the deployment's decode and prefill, which stand in this order.</summary>
    public static async Task<GenerationSimulation> RunAsync(DeployedModel deployed, int tokens, CancellationToken cancellation)
    {
        var (spec, device) = (deployed.Spec, deployed.Device);
        var plans = Planner.Plan(spec, device, deployed.DeviceFile, cancellation);
        var basic = spec with { Prefetch = PrefetchPolicy.None, Offload = spec.Offload with { Recompute = spec.Offload.KeyValues == Home.Host ? RecomputePolicy.None : spec.Offload.Recompute } };
        var executor = new Executor(new SimulatedBackend(device));
        var baseRun = await GenerationRun.RunAsync(
            executor, Planner.PlanStep(basic, spec.Steps[1], device, cancellation), Planner.PlanStep(basic, spec.Steps[0], device, cancellation), tokens, cancellation);
        var run = await GenerationRun.RunAsync(executor, plans.Steps[1].Plan, plans.Steps[0].Plan, tokens, cancellation);
        return new GenerationSimulation(
            deployed, plans, baseRun, run, PlanFootprint.Of(plans.Steps[0].Plan, deployed.Context).Max(PlanFootprint.Of(plans.Steps[1].Plan, 0)),
            await BandedRun.OfAsync(plans.Steps[0].Plan, deployed.Context, device, new SimulationOptions(), cancellation));
    }

    /// <summary>What is to be known of the model, the device and the host.</summary>
    public IReadOnlyList<string> Notes => [.. Deployed.Notes, .. new[] { Deployed.UnknownHost(Footprint.HostBytes), _overridden }.OfType<string>()];

    public GenerationDocument ToDocument() => new()
    {
        Model = Deployed.Spec.Model.Name,
        Device = Deployed.Spec.Device,
        TensorParallel = Deployed.Spec.TensorParallel,
        Batch = Run.Batch,
        Batches = Batches,
        Prompt = Prompt,
        Tokens = Run.Decode.Count + 1,
        KvHome = HasHostCache ? "host" : "device",
        WeightHome = HasHostWeights ? "host" : "device",
        Prefetch = Decode.Policy.ToString().ToLowerInvariant(),
        Base = RunDocument.Of(BaseRun, MemoryShare(BaseRun)),
        This = RunDocument.Of(Run, MemoryShare(Run)),
        Speedup = Speedup,
        Split = SplitDocument.Of(Report.Split),
        DeviceBytes = Footprint.DeviceBytes,
        HostBytes = Footprint.HostBytes,
        Unmeasured = [.. Longest.Unmeasured],
        MeasuredShare = Longest.MeasuredShare(Simulation.StepTime),
        Steps = [.. Run.Decode.Select((s, i) => new GeneratedStepDocument(
            Prompt + i, Decode.RecomputedTokens(Prompt + i), Simulation.Microseconds(BaseRun.Decode[i].Picoseconds), Simulation.Microseconds(s.Picoseconds)))],
        Assumed = [.. Deployed.Device.AssumedFields.Select(NoteDocument.Of)],
        Doubtful = [.. Deployed.Device.DoubtfulFields.Select(NoteDocument.Of)],
        Notes = [.. Notes, .. ConvertedFormats.Of(Decode, Deployed.Device)],
    };
}
