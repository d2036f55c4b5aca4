using Preserve.Cli.Commands;
using Preserve.Cli.Output;
using Preserve.Optimizer;

namespace Preserve.Cli;

/// <summary>A whole generation, planned and run: with the base plans and with these, by the executor on the hardware model.</summary>
internal sealed class GenerationSimulation
{
    private GenerationSimulation(DeployedModel deployed, PlanSet plans, GenerationRun baseRun, GenerationRun run, PlanFootprint footprint)
    {
        (Deployed, Plans, BaseRun, Run, Footprint) = (deployed, plans, baseRun, run, footprint);
    }

    public DeployedModel Deployed { get; }

    public PlanSet Plans { get; }

    public GenerationRun BaseRun { get; }

    public GenerationRun Run { get; }

    /// <summary>The most that one rank keeps in each memory.</summary>
    public PlanFootprint Footprint { get; }

    public ExecutionPlan Decode => Plans.Steps[0].Plan;

    public PlanReport Report => Plans.Steps[0].Report;

    public int Prompt => Plans.Steps[1].Plan.Step.NewTokens;

    public bool HasHostCache => Deployed.Spec.Offload.KeyValues == Home.Host;

    public double Speedup => (double)BaseRun.Picoseconds / Run.Picoseconds;

    /// <summary>Tokens of each sequence that a decode step recomputes.</summary>
    public int RecomputedAt(int context) =>
        Decode.Instructions().Select(i => i.Operation).OfType<RecomputeOperation>().Select(o => (int)o.Tokens.At(context)).DefaultIfEmpty(0).Max();

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
        var (decode, prefill) = (PlanFootprint.Of(plans.Steps[0].Plan, deployed.Context), PlanFootprint.Of(plans.Steps[1].Plan, 0));
        return new GenerationSimulation(
            deployed, plans, baseRun, run, new PlanFootprint(Math.Max(decode.DeviceBytes, prefill.DeviceBytes), Math.Max(decode.HostBytes, prefill.HostBytes)));
    }

    public GenerationDocument ToDocument() => new()
    {
        Model = Deployed.Spec.Model.Name,
        Device = Deployed.Spec.Device,
        TensorParallel = Deployed.Spec.TensorParallel,
        Batch = Run.Batch,
        Prompt = Prompt,
        Tokens = Run.Decode.Count + 1,
        KvHome = HasHostCache ? "host" : "device",
        Prefetch = Decode.Policy.ToString().ToLowerInvariant(),
        Base = RunDocument.Of(BaseRun),
        This = RunDocument.Of(Run),
        Speedup = Speedup,
        Split = SplitDocument.Of(Report.Split),
        DeviceBytes = Footprint.DeviceBytes,
        HostBytes = Footprint.HostBytes,
        Steps = [.. Run.Decode.Select((s, i) => new GeneratedStepDocument(
            Prompt + i, RecomputedAt(Prompt + i), Simulation.Microseconds(BaseRun.Decode[i].Picoseconds), Simulation.Microseconds(s.Picoseconds)))],
        Assumed = [.. Deployed.Device.AssumedFields.Select(NoteDocument.Of)],
        Doubtful = [.. Deployed.Device.DoubtfulFields.Select(NoteDocument.Of)],
        Notes = [.. Deployed.Notes, .. ConvertedFormats.Of(Decode, Deployed.Device)],
    };
}
